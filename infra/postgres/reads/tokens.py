"""Who calls: good tokens by their hashes, tenants by their keys, many in one statement.

One rule: an answer is never kept, so that what is revoked stops at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from infra.postgres.administration import OPERATOR
from infra.postgres.database import Database
from infra.postgres.statements import load

_SQL = load("read_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRef:
    """A tenant as callers are told apart by it."""

    id: int
    key: str
    org: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodToken:
    """A token that is neither revoked nor expired; without a tenant it is an operator's."""

    id: UUID
    name: str
    tenant: TenantRef | None
    scopes: tuple[str, ...]
    roles: tuple[str, ...] | None


async def find_tokens(database: Database, hashes: Sequence[bytes]) -> dict[bytes, GoodToken]:
    """The good tokens among these hashes."""
    rows = await database.fetch(_SQL["find_tokens"], hashes=list(hashes))
    return {
        row["hash"]: GoodToken(
            id=row["id"],
            name=row["name"],
            tenant=None
            if row["tenant_id"] == OPERATOR
            else TenantRef(id=row["tenant_id"], key=row["key"], org=row["org"]),
            scopes=tuple(row["scopes"]),
            roles=None if row["roles"] is None else tuple(row["roles"]),
        )
        for row in rows
    }


async def find_tenants(database: Database, keys: Sequence[str]) -> dict[str, TenantRef]:
    """The tenants among these keys."""
    rows = await database.fetch(_SQL["find_tenants"], keys=list(keys))
    return {row["key"]: TenantRef(id=row["id"], key=row["key"], org=row["org"]) for row in rows}
