"""Licences filled by hand, in sets: pools, grants to groups, entitlements with their sources, without any worker.

One rule: counts are those of the rows, so that what is read looks as a worker would have left it.
"""

from uuid import UUID

import asyncpg

from domain.entitlements import State

OPERATION = UUID("01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a")

_LICENSES = """
INSERT INTO license (tenant_id, key, name, kind, code, program_key, program_name, capacity, active)
SELECT $1, 'l' || n, 'License ' || n, CASE WHEN n % 2 = 0 THEN 'program' ELSE 'bundle' END,
       CASE WHEN n % 2 = 1 THEN 'CODE' || n END, CASE WHEN n % 2 = 0 THEN 'program-' || n END,
       CASE WHEN n % 2 = 0 THEN 'Program ' || n END, CASE WHEN n % 3 <> 0 THEN 1000000 END, n % 5 <> 0
  FROM generate_series(1, $2::int) AS n
"""
_GRANT = """
INSERT INTO group_license (tenant_id, group_id, license_id)
SELECT $1, user_group.id, license.id
  FROM user_group, license
 WHERE user_group.tenant_id = $1 AND user_group.key = $2 AND license.tenant_id = $1 AND license.key = $3
RETURNING id
"""
_HOLD = """
WITH people AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM app_user WHERE tenant_id = $1
), held AS (
    INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)
    SELECT $1, license.id, people.id, $5, $6
      FROM license, people
     WHERE license.tenant_id = $1 AND license.key = $2 AND place BETWEEN $3 AND $4
    RETURNING id
)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT $1, id, $7, $6, $8 FROM held
"""
_HOLD_FOR_ADDRESS = """
WITH held AS (
    INSERT INTO entitlement (tenant_id, license_id, email, email_key, state, asked_seq)
    SELECT $1, id, $3, lower($3), $4, $5 FROM license WHERE tenant_id = $1 AND key = $2
    RETURNING id
)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT $1, id, 0, $5, $6 FROM held
"""
_ALSO = """
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT $1, entitlement.id, $4, 99, $5
  FROM entitlement
  JOIN license ON license.tenant_id = $1 AND license.id = license_id
  JOIN app_user ON app_user.tenant_id = $1 AND app_user.id = user_id
 WHERE entitlement.tenant_id = $1 AND license.key = $2 AND app_user.key = $3
"""
_COUNT = """
UPDATE license
   SET used = counted.used, queued = counted.queued, waiting = counted.waiting
  FROM (SELECT license_id, count(*) FILTER (WHERE state = 1) AS used, count(*) FILTER (WHERE state = 2) AS queued,
               count(*) FILTER (WHERE state IN (2, 3, 4)) AS waiting
          FROM entitlement WHERE tenant_id = $1 GROUP BY license_id) AS counted
 WHERE tenant_id = $1 AND id = license_id
"""


async def add_licenses(sql: asyncpg.Connection, tenant_id: int, count: int) -> None:
    """`l1`, `l2`, …: bundles and programs in turn, every third without limit, every fifth inactive."""
    await sql.execute(_LICENSES, tenant_id, count)


async def add_grant(sql: asyncpg.Connection, tenant_id: int, group: str, license_key: str) -> int:
    """The group is to have the licence; the grant's id."""
    grant_id: int = await sql.fetchval(_GRANT, tenant_id, group, license_key)
    return grant_id


async def add_holders(
    sql: asyncpg.Connection,
    tenant_id: int,
    license_key: str,
    first: int,
    last: int,
    *,
    state: State = State.ACTIVE,
    seq: int = 1,
    grant_id: int = 0,
) -> None:
    """People from the first place to the last have or wait for the licence, by this grant or (0) directly."""
    await sql.execute(_HOLD, tenant_id, license_key, first, last, int(state), seq, grant_id, OPERATION)
    await sql.execute(_COUNT, tenant_id)


async def add_address(
    sql: asyncpg.Connection,
    tenant_id: int,
    license_key: str,
    email: str,
    *,
    state: State = State.ACTIVE,
    seq: int = 1,
) -> None:
    """An address whose person is not known has or waits for the licence."""
    await sql.execute(_HOLD_FOR_ADDRESS, tenant_id, license_key, email, int(state), seq, OPERATION)
    await sql.execute(_COUNT, tenant_id)


async def add_source(sql: asyncpg.Connection, tenant_id: int, license_key: str, user: str, grant_id: int) -> None:
    """The person has the licence from this grant as well."""
    await sql.execute(_ALSO, tenant_id, license_key, user, grant_id, OPERATION)
