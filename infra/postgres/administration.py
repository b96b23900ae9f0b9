"""Tenants and API tokens: the rows that must exist before the first command.

One rule: of a token only its SHA-256 is stored; the token itself is returned once, by `create_token`, and never logged.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from domain.administration import (
    TENANT_KEY,
    Tenant,
    TenantAlreadyExistsError,
    TenantDoesNotExistError,
    TokenDoesNotExistError,
    TokenIssued,
    TokenView,
    require_roles,
    require_scopes,
    require_tenant_key,
    require_text,
)
from domain.audit import COMMAND_LINE, Action, Actor, AuditEntry
from domain.errors import JSON
from infra.postgres.audit import write_audit
from infra.postgres.database import Database, Row, Transaction
from infra.postgres.statements import load

OPERATOR = 0  # the tenant_id of operator tokens; no tenant has it

_SQL = load("administration")
_MEMBER = "member"
_MEMBER_TITLES = {"en": "Member", "de": "Mitglied", "fr": "Membre"}
_FIRST = UUID(int=0)


def token_hash(token: str) -> bytes:
    """What is stored and looked up instead of the token."""
    return hashlib.sha256(token.encode()).digest()


async def create_tenant(database: Database, *, key: str, org: str, name: str, actor: Actor = COMMAND_LINE) -> Tenant:
    """Create a tenant with its log and its built-in role `member`, in one transaction; `actor` is who wants it.

    Raises:
        InvalidAdministrationError: a value is not of its form.
        TenantAlreadyExistsError: the key is taken.
    """
    require_tenant_key(key)
    require_text("org", org, forbidden="/")
    require_text("name", name)
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["insert_tenant"], key=key, org=org, name=name)
        if not rows:
            raise TenantAlreadyExistsError(f"tenant {key!r} exists already")
        tenant = _tenant(rows[0])
        await tx.execute(_SQL["insert_tenant_log"], tenant_id=tenant.id)
        await tx.execute(
            _SQL["insert_member_role"],
            tenant_id=tenant.id,
            key=_MEMBER,
            permission_scope="USER_GROUPS",
            titles=json.dumps(_MEMBER_TITLES),
        )
        subject = f"tenants/{tenant.key}"
        await write_audit(
            tx, AuditEntry(actor=actor, action=Action.TENANT_CREATED, subject=subject, tenant_id=tenant.id)
        )
    return tenant


async def tenant_by_key(database: Database, key: str) -> Tenant | None:
    """The tenant with this key, if there is one."""
    async with database.transaction() as tx:
        return await _find_tenant(tx, key)


async def list_tenants(database: Database, *, after: str = "", limit: int = 500) -> list[Tenant]:
    """At most `limit` tenants in the order of their keys, after the key `after`."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["list_tenants"], after=after, limit=limit)
    return [_tenant(row) for row in rows]


async def create_token(
    database: Database,
    *,
    tenant_key: str | None,
    scopes: Sequence[str],
    name: str = "",
    expires_at: datetime | None = None,
    roles: Sequence[str] | None = None,
    actor: Actor = COMMAND_LINE,
) -> TokenIssued:
    """Issue a token of 256 random bits as 64 hex digits.

    Args:
        database: where its hash is kept.
        tenant_key: whom it belongs to; None makes an operator's token.
        scopes: at least one; tenant scopes for a tenant's token, operator scopes for an operator's.
        name: what people call it.
        expires_at: when it stops working; None: only when it is revoked.
        roles: the only role keys it may give in groups (an empty list: none at all); None: every role.
        actor: who issues it.

    Raises:
        InvalidAdministrationError: a scope or role that this token cannot carry.
        TenantDoesNotExistError: no tenant has the key.
    """
    unique_scopes = tuple(dict.fromkeys(scopes))
    unique_roles = None if roles is None else tuple(dict.fromkeys(roles))
    require_scopes(unique_scopes, operator=tenant_key is None)
    require_roles(unique_roles, operator=tenant_key is None)
    if name:
        require_text("name", name)
    token_id, token = uuid4(), secrets.token_hex(32)
    async with database.transaction() as tx:
        tenant = None if tenant_key is None else await _existing_tenant(tx, tenant_key)
        await tx.execute(
            _SQL["insert_token"],
            tenant_id=OPERATOR if tenant is None else tenant.id,
            id=token_id,
            name=name,
            hash=token_hash(token),
            scopes=unique_scopes,
            roles=unique_roles,
            expires_at=expires_at,
        )
        about: dict[str, JSON] = {"name": name, "scopes": list(unique_scopes)}
        owner = None if tenant is None else tenant.id
        await write_audit(tx, _of_token(Action.TOKEN_CREATED, token_id, owner, actor, about))
    return TokenIssued(
        id=token_id,
        token=token,
        tenant=tenant_key,
        name=name,
        scopes=unique_scopes,
        roles=unique_roles,
        expires_at=expires_at,
    )


async def list_tokens(
    database: Database,
    *,
    tenant_key: str | None = None,
    operator: bool = False,
    after: tuple[int, UUID] | None = None,
    limit: int = 500,
) -> list[TokenView]:
    """At most `limit` tokens, revoked and expired ones included, ordered by tenant and id.

    Args:
        database: where they are kept.
        tenant_key: only this tenant's.
        operator: only the operators'.
        after: the `(tenant_id, id)` behind which the page begins.
        limit: the page's length.

    Raises:
        TenantDoesNotExistError: no tenant has the key.
    """
    async with database.transaction() as tx:
        tenant_id = OPERATOR if operator else None
        if tenant_key is not None:
            tenant_id = (await _existing_tenant(tx, tenant_key)).id
        after_tenant, after_id = after or (OPERATOR, _FIRST)
        rows = await tx.fetch(
            _SQL["list_tokens"], tenant_id=tenant_id, after_tenant=after_tenant, after_id=after_id, limit=limit
        )
    return [_token(row) for row in rows]


async def revoke_token(database: Database, token_id: UUID, *, actor: Actor = COMMAND_LINE) -> TokenView:
    """End a token at once; a second call changes nothing.

    Raises:
        TokenDoesNotExistError: no token has this id.
    """
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["revoke_token"], id=token_id)
        if not rows:
            raise TokenDoesNotExistError(f"there is no token {token_id}")
        token = _token(rows[0])
        if rows[0]["is_news"]:
            about = {"name": token.name}
            await write_audit(tx, _of_token(Action.TOKEN_REVOKED, token_id, token.tenant_id or None, actor, about))
    return token


def _of_token(
    action: Action, token_id: UUID, tenant_id: int | None, actor: Actor, details: Mapping[str, JSON]
) -> AuditEntry:
    subject = f"tokens/{token_id}"
    return AuditEntry(actor=actor, action=action, subject=subject, tenant_id=tenant_id, details=details)


async def _find_tenant(tx: Transaction, key: str) -> Tenant | None:
    rows = await tx.fetch(_SQL["tenant_by_key"], key=key)
    return _tenant(rows[0]) if rows else None


async def _existing_tenant(tx: Transaction, key: str) -> Tenant:
    # A key that is none cannot be a tenant's, and could hold what Postgres does not take (NUL).
    tenant = await _find_tenant(tx, key) if TENANT_KEY.fullmatch(key) else None
    if tenant is None:
        raise TenantDoesNotExistError(f"there is no tenant {key!r}")
    return tenant


def _tenant(row: Row) -> Tenant:
    return Tenant(id=row["id"], key=row["key"], org=row["org"], name=row["name"], created_at=row["created_at"])


def _token(row: Row) -> TokenView:
    return TokenView(
        id=row["id"],
        tenant_id=row["tenant_id"],
        tenant=row["tenant"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        roles=None if row["roles"] is None else tuple(row["roles"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
