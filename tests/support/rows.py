"""Licence rows written straight into the tables, for what must be found there whatever put it there."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg

_ENTITLE = """
WITH given AS (
    INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)
    SELECT tenant_id, $2, user_id, 1, 1 FROM group_member WHERE tenant_id = $1 AND group_id = $3
    RETURNING id
)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT $1, id, $4, 1, $5 FROM given
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilled:
    """A group whose members all hold a seat of one licence, by numeric ids."""

    tenant_id: int
    group_id: int
    license_id: int
    grant_id: int
    people: int


async def add_license(sql: asyncpg.Connection, tenant_id: int, key: str, capacity: int | None, *, used: int = 0) -> int:
    """A bundle licence whose code is its key."""
    number: int = await sql.fetchval(
        "INSERT INTO license (tenant_id, key, name, kind, code, capacity, used)"
        " VALUES ($1, $2, $2, 'bundle', $2, $3, $4) RETURNING id",
        tenant_id, key, capacity, used,
    )  # fmt: skip
    return number


async def fulfil(
    sql: asyncpg.Connection, tenant_id: int, group: str, *, people: int, capacity: int | None
) -> Fulfilled:
    """Give the first licence of the tenant to a group: every member holds a seat, and every count is right."""
    group_id = await sql.fetchval("SELECT id FROM user_group WHERE tenant_id = $1 AND key = $2", tenant_id, group)
    await sql.execute(
        "UPDATE user_group SET user_count = $3, assignment_count = $3 WHERE tenant_id = $1 AND id = $2",
        tenant_id, group_id, people,
    )  # fmt: skip
    license_id = await add_license(sql, tenant_id, "seats", capacity, used=people)
    grant_id = await sql.fetchval(
        "INSERT INTO group_license (tenant_id, group_id, license_id, in_quota, assigned) VALUES ($1, $2, $3, $4, $4)"
        " RETURNING id",
        tenant_id, group_id, license_id, people,
    )  # fmt: skip
    await sql.execute(_ENTITLE, tenant_id, license_id, group_id, grant_id, uuid4())
    return Fulfilled(tenant_id=tenant_id, group_id=group_id, license_id=license_id, grant_id=grant_id, people=people)
