"""JSON web tokens: signature, issuer, audience and times are checked here, all or nothing.

One rule: nothing of a token is believed before its signature is; its header only picks among the configured keys.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

import jwt

from api.credentials.keys import ALGORITHMS, KeySet
from domain.administration import TENANT_KEY

LONGEST_TOKEN = 8 * 1024
_LONGEST_KID = 256


class BadTokenError(Exception):
    """The token is not to be believed; why stays here, for logs and tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a believed token says: for which tenant, and which scopes."""

    tenant: str
    scopes: tuple[str, ...]


class JwtVerifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, *, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def verify(self, token: str) -> Claims:
        """The claims of a good token.

        Raises:
            BadTokenError: it is not good, for whatever reason.
            JwksUnavailableError: no key set could be fetched yet.
        """
        kid, algorithm = read_header(token)
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise BadTokenError("no key of that kid and algorithm")
        try:
            payload = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                # iat is information; a clock a second ahead at the issuer must not lock its users out.
                options={"require": ["iss", "aud", "exp"], "verify_iat": False},
            )
        # OverflowError: {"exp": 1e999}; RecursionError: a payload of brackets.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise BadTokenError(type(error).__name__) from error  # its text may quote the token
        return _claims(payload)


def read_header(token: str) -> tuple[str | None, str]:
    """The kid (None: not named) and the algorithm, which is one of the accepted.

    Raises:
        BadTokenError: the token is too long or has no such header.
    """
    if len(token) > LONGEST_TOKEN:
        raise BadTokenError("longer than 8 KiB")
    try:
        encoded, _, _ = token.split(".")
        header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError) as error:
        raise BadTokenError("no compact JWS") from error
    if not isinstance(header, dict) or "crit" in header or header.get("b64", True) is not True:
        raise BadTokenError("a header that asks for more than is understood")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise BadTokenError("an algorithm that is not accepted")
    if not isinstance(kid, str | None) or len(kid or "") > _LONGEST_KID:
        raise BadTokenError("a kid that is no name")
    return kid, algorithm


def _claims(payload: dict[str, Any]) -> Claims:
    # PyJWT takes "1799999999" for a number; RFC 7519 does not.
    if any(isinstance(payload.get(name, 0), bool | str) for name in ("exp", "nbf")):
        raise BadTokenError("a time that is no number")
    tenant, scope = payload.get("tenant"), payload.get("scope", "")
    if not isinstance(tenant, str) or not TENANT_KEY.fullmatch(tenant):
        raise BadTokenError("no tenant")
    scopes = scope.split() if isinstance(scope, str) else scope
    if not isinstance(scopes, list) or not all(isinstance(name, str) for name in scopes):
        raise BadTokenError("a scope that is neither text nor a list of texts")
    return Claims(tenant=tenant, scopes=tuple(scopes))
