"""Who calls, and what they may: API tokens and JWTs become a Caller.

One rule: every way in ends in the same Caller or the same refusal, which does not tell what was wrong.
"""

import re
from dataclasses import dataclass
from uuid import UUID

import structlog

from api.credentials.jwt import BadTokenError, JwtVerifier
from api.credentials.keys import KeySet
from api.credentials.limits import BadCredentials
from api.credentials.lookup import Lookup
from domain.audit import Actor
from domain.scopes import granted
from infra.jwks import JwksUnavailableError, fetch
from infra.postgres.administration import token_hash
from infra.postgres.database import Database
from infra.postgres.reads.tokens import GoodToken, TenantRef, find_tenants, find_tokens
from infra.settings import Settings
from infra.tracing.work import Tracer

log = structlog.get_logger(__name__)

# The WWW-Authenticate of every 401.
CHALLENGE = 'Api-Token realm="seatline", Bearer realm="seatline"'

_STORED_TOKEN = re.compile(r"[0-9a-fA-F]{64}")
_SCHEMES = frozenset({"api-token", "api-key", "bearer"})


class UnauthenticatedError(Exception):
    """No credentials, or none that are good. Answered 401 with `CHALLENGE`."""


class TooManyBadCredentialsError(Exception):
    """This address has sent too many bad credentials; it may try again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever sent the request. An operator has no tenant.

    `scopes` are complete: aliases resolved, reads implied by writes. `roles` are the only role keys the caller may
    give in groups (None: all). `token_id` is None for a JWT.
    """

    tenant_id: int | None
    tenant_key: str | None
    org: str | None
    scopes: frozenset[str]
    roles: tuple[str, ...] | None
    token_id: str | None
    is_operator: bool
    token_name: str = ""

    @property
    def actor(self) -> Actor:
        """Who the audit trail says it was; an operator always has a token."""
        return Actor(token_id=None if self.token_id is None else UUID(self.token_id), name=self.token_name)

    def may(self, *scopes: str) -> bool:
        """True when the caller holds any of these scopes."""
        return not self.scopes.isdisjoint(scopes)


class Authenticator:
    """Authenticates the requests of one API process. Lookups of concurrent requests share a statement."""

    def __init__(self, *, database: Database, settings: Settings, tracer: Tracer | None = None) -> None:
        self._tokens: Lookup[bytes, GoodToken] = Lookup(lambda hashes: find_tokens(database, hashes), tracer=tracer)
        self._tenants: Lookup[str, TenantRef] = Lookup(lambda keys: find_tenants(database, keys), tracer=tracer)
        self._verifier = _verifier(settings)
        self._bad = BadCredentials(settings.bad_credentials_per_minute)

    async def authenticate(self, authorization: str | None, client: str) -> Caller:
        """The caller behind an Authorization header; `client` is the address that sent it.

        Raises:
            UnauthenticatedError: there are no credentials, or they are bad.
            TooManyBadCredentialsError: they are bad, once too often.
        """
        if authorization is None:
            raise UnauthenticatedError
        caller = await self._caller(authorization)
        if caller is not None:
            return caller
        retry_after = self._bad.count(client)
        if retry_after is not None:
            raise TooManyBadCredentialsError(retry_after)
        raise UnauthenticatedError

    async def _caller(self, authorization: str) -> Caller | None:
        scheme, _, credentials = authorization.strip().partition(" ")
        credentials = credentials.strip()
        if scheme.lower() not in _SCHEMES:
            return None
        if _STORED_TOKEN.fullmatch(credentials):
            token = await self._tokens.find(token_hash(credentials))
            return None if token is None else _token_caller(token)
        if scheme.lower() == "bearer" and self._verifier is not None:
            return await self._jwt_caller(self._verifier, credentials)
        return None

    async def _jwt_caller(self, verifier: JwtVerifier, credentials: str) -> Caller | None:
        try:
            claims = await verifier.verify(credentials)
        except BadTokenError as error:
            log.info("a JWT was refused", reason=str(error))
            return None
        except JwksUnavailableError as error:
            raise UnauthenticatedError from error  # not the caller's fault: not counted as bad
        tenant = await self._tenants.find(claims.tenant)
        if tenant is None:
            return None
        return Caller(
            tenant_id=tenant.id,
            tenant_key=tenant.key,
            org=tenant.org,
            scopes=granted(claims.scopes, operator=False),
            roles=None,
            token_id=None,
            is_operator=False,
        )


def _token_caller(token: GoodToken) -> Caller:
    tenant = token.tenant
    return Caller(
        tenant_id=None if tenant is None else tenant.id,
        tenant_key=None if tenant is None else tenant.key,
        org=None if tenant is None else tenant.org,
        scopes=granted(token.scopes, operator=tenant is None),
        roles=token.roles,
        token_id=str(token.id),
        token_name=token.name,
        is_operator=tenant is None,
    )


def _verifier(settings: Settings) -> JwtVerifier | None:
    location, issuer, audience = settings.jwt_jwks, settings.jwt_issuer, settings.jwt_audience
    if location is None or issuer is None or audience is None:
        return None
    return JwtVerifier(keys=KeySet(lambda: fetch(location)), issuer=issuer, audience=audience)
