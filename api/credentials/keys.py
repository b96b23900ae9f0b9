"""The keys that sign accepted JWTs, read from a JWKS and kept for a while.

One rule: a key serves the one algorithm that its type stands for, whatever a token says.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import PyJWK, PyJWTError

from infra.jwks import JwksUnavailableError

log = structlog.get_logger(__name__)

# The accepted (kty, crv) pairs; symmetric keys ("oct") are not among them, so no public text can sign.
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
ALGORITHMS = frozenset(_ALGORITHMS.values())
_SMALLEST_RSA = 2048
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MOST_KEYS = 100

# An unknown kid asks again at most this often, so that forged kids do not become requests to the issuer.
REFRESH_SECONDS = 30.0
# As long as there is no set at all.
FIRST_SECONDS = 1.0
# A key that was withdrawn is believed this long at most while the set can be fetched.
BELIEVED_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A public key with the one algorithm it serves."""

    kid: str | None
    algorithm: str
    key: PyJWK


class KeySet:
    """The current keys. A fetch that fails leaves the last ones in use."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerifyingKey, ...] | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """The key of this kid and algorithm; without a kid, the only key of the algorithm.

        Raises:
            JwksUnavailableError: the set could never be fetched.
        """
        if self._keys is None or self._clock() - self._fetched_at > BELIEVED_SECONDS:
            await self._refresh()
        key = self._choose(kid, algorithm)
        if key is None:
            await self._refresh()
            key = self._choose(kid, algorithm)
        return key

    def _choose(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        if self._keys is None:
            raise JwksUnavailableError("the key set was never fetched")
        fitting = [key for key in self._keys if key.algorithm == algorithm and kid in {None, key.kid}]
        return fitting[0] if len(fitting) == 1 else None

    async def _refresh(self) -> None:
        async with self._fetching:
            pause = FIRST_SECONDS if self._keys is None else REFRESH_SECONDS
            if self._tried_at is not None and self._clock() - self._tried_at < pause:
                return
            self._tried_at = self._clock()
            try:
                self._keys = read_keys(await self._fetch())
            except JwksUnavailableError as error:
                log.warning("the key set was not refreshed", reason=str(error))
            else:
                self._fetched_at = self._clock()


def read_keys(document: bytes) -> tuple[VerifyingKey, ...]:
    """The usable keys of a JWKS; others (symmetric, encryption, weak, unknown) are left out.

    Raises:
        JwksUnavailableError: the document is no key set.
    """
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise JwksUnavailableError("the key set is no JSON") from error
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list):
        raise JwksUnavailableError("the key set has no list of keys")
    keys = (_key(member) for member in members[:_MOST_KEYS] if isinstance(member, dict))
    return tuple(key for key in keys if key is not None)


def _key(member: Mapping[str, Any]) -> VerifyingKey | None:
    kid, kty, curve = member.get("kid"), member.get("kty"), member.get("crv")
    algorithm = _ALGORITHMS.get((kty, curve)) if isinstance(kty, str) and isinstance(curve, str | None) else None
    operations = member.get("key_ops", ["verify"])
    if algorithm is None or member.get("alg", algorithm) != algorithm or member.get("use", "sig") != "sig":
        return None
    if not isinstance(kid, str | None) or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        key = PyJWK({name: value for name, value in member.items() if name not in _PRIVATE_MEMBERS}, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key.key, rsa.RSAPublicKey) and key.key.key_size < _SMALLEST_RSA:
        return None
    return VerifyingKey(kid=kid, algorithm=algorithm, key=key)
