"""A tenant with as many assignments, and entitlements, as are wanted, straight into the tables.

One rule: rows and counts are those that the workers would have left, so that `verify` finds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from domain.scopes import TENANT_SCOPES
from infra.postgres import administration
from infra.postgres.database import Database, plain_dsn
from tests.benchmarks.filled import SETTINGS
from tests.benchmarks.indexes import without_indexes
from tests.benchmarks.workload import ROLE

EACH = 20  # assignments, and entitlements, of a person
SPREAD_GROUPS = 1_000
TOGETHER = "g00"

_DIRECTORY = ("app_user", "user_group", "group_assignment", "group_member")
_LICENSED = ("entitlement", "entitlement_source")
# Ids are given, from 1 on, so that rows can refer to each other without a join; the sequences are moved up at the end.
_PEOPLE = """
INSERT INTO app_user (tenant_id, id, key, username, username_key, email, email_key, first_name, last_name, department)
SELECT $1, n + 1, name, name, name, name || '@example.org', name || '@example.org', 'Ada', 'Lovelace ' || n,
       'Department ' || n % 20
  FROM (SELECT n, 'p' || lpad(n::text, greatest(4, length(n::text)), '0') AS name
          FROM generate_series(0, $2::bigint - 1) AS n) AS made
"""
_GROUPS = """
INSERT INTO user_group (tenant_id, id, key, name)
SELECT $1, n + 1, 'g' || lpad(n::text, greatest(2, length(n::text)), '0'), 'Group ' || n
  FROM generate_series(0, $2::bigint - 1) AS n
"""
_ROLES = """
INSERT INTO role (tenant_id, id, key, permission_scope, titles)
SELECT $1, 1000 + n, CASE WHEN n = 0 THEN $3 ELSE $3 || '-' || n END, 'USER_GROUPS', '{"en": "Learner"}'
  FROM generate_series(0, $2::bigint - 1) AS n
"""
# Either everybody is in 20 groups of 1,000, beginning at one's own, or in one group in 20 roles.
_SPREAD = """
INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources, created_at)
SELECT $1, (n + place) % 1000 + 1, n + 1, 1000, 1, now() - ($2 - n) * interval '20 ms' + place * interval '1 ms'
  FROM generate_series(0, $2::bigint - 1) AS n CROSS JOIN generate_series(0, $3::bigint - 1) AS place
"""
_SPREAD_MEMBERS = """
INSERT INTO group_member (tenant_id, group_id, user_id)
SELECT $1, (n + place) % 1000 + 1, n + 1
  FROM generate_series(0, $2::bigint - 1) AS n CROSS JOIN generate_series(0, $3::bigint - 1) AS place
"""
_TOGETHER = """
INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources, created_at)
SELECT $1, 1, n + 1, 1000 + place, 1, now() - ($2 - n) * interval '20 ms' + place * interval '1 ms'
  FROM generate_series(0, $2::bigint - 1) AS n CROSS JOIN generate_series(0, $3::bigint - 1) AS place
"""
_TOGETHER_MEMBERS = """
INSERT INTO group_member (tenant_id, group_id, user_id)
SELECT $1, 1, n + 1 FROM generate_series(0, $2::bigint - 1) AS n
"""
# Every second licence is a bundle; each is given to the one group.
_LICENSES = """
INSERT INTO license (tenant_id, id, key, name, kind, code, program_id, program_key, program_name, used)
SELECT $1, n + 1, 'l' || n, 'Licence ' || n, CASE WHEN n % 2 = 0 THEN 'program' ELSE 'bundle' END,
       CASE WHEN n % 2 = 1 THEN 'B' || n END, CASE WHEN n % 2 = 0 THEN nextval('program_id_seq') END,
       CASE WHEN n % 2 = 0 THEN 'program-' || n END, CASE WHEN n % 2 = 0 THEN 'Program ' || n END, $2
  FROM generate_series(0, $3::bigint - 1) AS n
"""
_GRANTS = """
INSERT INTO group_license (tenant_id, id, group_id, license_id, assigned, in_quota)
SELECT $1, n + 1, 1, n + 1, $2, $2 FROM generate_series(0, $3::bigint - 1) AS n
"""
_ENTITLEMENTS = """
INSERT INTO entitlement (tenant_id, id, license_id, user_id, state, asked_seq)
SELECT $1, n + 1, n / $2 + 1, n % $2 + 1, 1, 1 FROM generate_series(0, $2::bigint * $3::bigint - 1) AS n
"""
_SOURCES = """
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, user_id, seq, operation_id)
SELECT $1, n + 1, n / $2 + 1, n % $2 + 1, 1, '00000000-0000-0000-0000-000000000001'
  FROM generate_series(0, $2::bigint * $3::bigint - 1) AS n
"""
_COUNTS = """
UPDATE user_group SET user_count = members.count, assignment_count = assignments.count
  FROM (SELECT group_id, count(*) FROM group_member GROUP BY group_id) AS members
  JOIN (SELECT group_id, count(*) FROM group_assignment GROUP BY group_id) AS assignments USING (group_id)
 WHERE user_group.id = group_id
"""
_SEQUENCES = """
SELECT setval(pg_get_serial_sequence(name, 'id'), 1000000000)
  FROM unnest(ARRAY['app_user', 'user_group', 'role', 'license', 'group_license', 'entitlement']) AS name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Populated:
    """The tenant that was filled: its key, its id, a token, and how many people it has."""

    tenant: str
    id: int
    token: str
    people: int


async def populate(url: str, *, rows: int, together: bool = False) -> Populated:
    """Fill an empty database with one tenant that has so many assignments.

    Spread over 1,000 groups; or `together` in one group, which then also gives everybody 20 licences: as many
    entitlements, each with its source.
    """
    key, people = "populated", rows // EACH
    database = Database(url, size=1)
    try:
        tenant = await administration.create_tenant(database, key=key, org=f"{key}-org", name=key)
        issued = await administration.create_token(database, tenant_key=key, scopes=TENANT_SCOPES)
    finally:
        await database.close()
    sql = await asyncpg.connect(plain_dsn(url), server_settings=SETTINGS)
    try:
        await _fill(sql, _licensed(tenant.id, people) if together else _spread(tenant.id, people), together=together)
    finally:
        await sql.close()
    return Populated(tenant=key, id=tenant.id, token=issued.token, people=people)


Step = tuple[str, Sequence[object]]


def _spread(tenant_id: int, people: int) -> list[Step]:
    return [
        (_PEOPLE, (tenant_id, people)),
        (_GROUPS, (tenant_id, SPREAD_GROUPS)),
        (_ROLES, (tenant_id, 1, ROLE)),
        (_SPREAD, (tenant_id, people, EACH)),
        (_SPREAD_MEMBERS, (tenant_id, people, EACH)),
    ]


def _licensed(tenant_id: int, people: int) -> list[Step]:
    return [
        (_PEOPLE, (tenant_id, people)),
        (_GROUPS, (tenant_id, SPREAD_GROUPS)),
        (_ROLES, (tenant_id, EACH, ROLE)),
        (_TOGETHER, (tenant_id, people, EACH)),
        (_TOGETHER_MEMBERS, (tenant_id, people)),
        (_LICENSES, (tenant_id, people, EACH)),
        (_GRANTS, (tenant_id, people, EACH)),
        (_ENTITLEMENTS, (tenant_id, people, EACH)),
        (_SOURCES, (tenant_id, people, EACH)),
    ]


async def _fill(sql: asyncpg.Connection, steps: Sequence[Step], *, together: bool) -> None:
    async with without_indexes(sql, (*_DIRECTORY, *_LICENSED) if together else _DIRECTORY):
        for statement, values in steps:
            await sql.execute(statement, *values)
    await sql.execute("VACUUM ANALYZE")  # before the counts: whoever moves them looks rows up
    await sql.execute(_COUNTS)
    await sql.execute(_SEQUENCES)
    await sql.execute("CHECKPOINT")
