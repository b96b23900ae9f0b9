"""Licence rows written straight into the tables, for what must be found there whatever put it there."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from domain.drift import Check
from tests.support import directory

PEOPLE = 7
# What makes rows and counts of `one_fulfilled_group` contradict each other, and which checks see it.
BREAKS = {
    "UPDATE user_group SET user_count = user_count - 1 WHERE key = 'g1'": {Check.GROUP_COUNTS},
    "UPDATE user_group SET assignment_count = 3, user_count = 1 WHERE key = 'g2'": {Check.GROUP_COUNTS},
    "DELETE FROM group_member WHERE user_id = (SELECT min(user_id) FROM group_member)": {
        Check.GROUP_MEMBERS,
        Check.STRAY_SOURCE,
    },
    "DELETE FROM group_assignment WHERE user_id = (SELECT min(user_id) FROM group_assignment)": {
        Check.GROUP_MEMBERS,
        Check.GROUP_COUNTS,
    },
    "DELETE FROM role WHERE key = 'member'": {Check.STRAY_ASSIGNMENT},
    "DELETE FROM user_group WHERE key = 'g1'": {Check.STRAY_ASSIGNMENT, Check.STRAY_GRANT},
    "UPDATE app_user SET active = false WHERE key = 'u1'": {Check.STRAY_ASSIGNMENT, Check.ENTITLEMENT_STATE},
    "DELETE FROM app_user WHERE key = 'u1'": {Check.STRAY_ASSIGNMENT, Check.STRAY_ENTITLEMENT},
    "DELETE FROM entitlement_source WHERE entitlement_id = (SELECT min(id) FROM entitlement)": {
        Check.MEMBER_WITHOUT_SOURCE,
        Check.ENTITLEMENT_WITHOUT_SOURCE,
        Check.GRANT_COUNTS,
    },
    "DELETE FROM entitlement WHERE id = (SELECT max(id) FROM entitlement)": {
        Check.MEMBER_WITHOUT_SOURCE,
        Check.STRAY_SOURCE,
        Check.GRANT_COUNTS,
        Check.POOL_COUNTS,
    },
    "DELETE FROM license": {Check.STRAY_ENTITLEMENT, Check.STRAY_GRANT},
    "DELETE FROM group_license": {Check.STRAY_SOURCE},
    "UPDATE group_license SET active = false": {Check.STRAY_SOURCE},
    "UPDATE group_license SET hold = true": {Check.STRAY_SOURCE},
    "UPDATE group_license SET assigned = assigned - 1": {Check.GRANT_COUNTS},
    "UPDATE group_license SET in_quota = in_quota + 1": {Check.GRANT_COUNTS},
    "UPDATE group_license SET quota = 6": {Check.GRANT_QUOTA},
    "UPDATE license SET used = used - 1": {Check.POOL_COUNTS},
    "UPDATE license SET reserved = 1": {Check.POOL_COUNTS},
    "UPDATE license SET used = 0, capacity = 6": {Check.POOL_COUNTS, Check.POOL_OVERSOLD},
    "UPDATE entitlement SET state = 2 WHERE id = (SELECT min(id) FROM entitlement)": {
        Check.GRANT_COUNTS,
        Check.POOL_COUNTS,
        Check.WAITING_LIST,
    },
    "UPDATE entitlement SET state = 3": {Check.ENTITLEMENT_STATE, Check.GRANT_COUNTS, Check.POOL_COUNTS},
    "UPDATE entitlement SET state = 4": {Check.ENTITLEMENT_STATE, Check.GRANT_COUNTS, Check.POOL_COUNTS},
    "UPDATE license SET starts_at = now() + interval '1 day'": {Check.MISSED_DATE},
    "UPDATE license SET expires_at = now() + interval '1 day'": {Check.MISSED_DATE},
    "UPDATE license SET expires_at = now() - interval '1 day'": {Check.MISSED_DATE},
    "INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count)"
    " SELECT id, 'f', 'groups.put', 'OPERATION_RAISED', 'm', 2 FROM tenant": {Check.ERROR_COUNTS},
    "INSERT INTO operation (tenant_id, id, kind, status, items, bytes, request, presentation, fingerprint, total,"
    " error, error_group, finished_at) SELECT id, gen_random_uuid(), 'groups.put', 'failed', 1, 2, '{}', '{}', '', 1,"
    ' \'{"code": "OPERATION_RAISED", "message": "m"}\', \'f\', now() FROM tenant': {Check.ERROR_COUNTS},
    "UPDATE entitlement_source SET blocked = true": {
        Check.ENTITLEMENT_STATE,
        Check.GRANT_COUNTS,
        Check.GRANT_QUOTA,
    },
}

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


async def one_fulfilled_group(sql: asyncpg.Connection, tenant_id: int) -> Fulfilled:
    """Seven active people in `g1`, which has been granted a licence of ten seats; `g2` is empty."""
    await directory.add_people(sql, tenant_id, PEOPLE)
    await sql.execute("UPDATE app_user SET active = true WHERE tenant_id = $1", tenant_id)
    await directory.add_groups(sql, tenant_id, 2)
    await directory.add_members(sql, tenant_id, "g1", PEOPLE)
    return await fulfil(sql, tenant_id, "g1", people=PEOPLE, capacity=10)
