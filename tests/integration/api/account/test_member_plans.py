"""The members of a large group are walked by the index of their order, a page at a time."""

import json

import asyncpg
import pytest

from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from infra.postgres.reads.account import By, Wanted, bundles_of_group, page_of_members
from infra.postgres.statements import load
from tests.support.directory import add_groups, add_members, add_people
from tests.support.fences import act_as_owner, act_as_reader

PEOPLE = 20_000
LIMIT = 10
BOUND = 30 * LIMIT
BIG_TABLES = {"app_user", "group_member", "entitlement", "entitlement_source"}
SQL = load("read_account")
# Two bundles for the whole group; every member holds both.
GIVEN = """
WITH pools AS (
    INSERT INTO license (tenant_id, key, name, kind, code, used)
    SELECT $1, code, code, 'bundle', code, $2 FROM unnest(ARRAY['IDU', 'PMD']) AS code RETURNING id
), grants AS (
    INSERT INTO group_license (tenant_id, group_id, license_id, assigned)
    SELECT $1, user_group.id, pools.id, $2 FROM pools, user_group WHERE tenant_id = $1 AND key = 'g1'
    RETURNING id, license_id
), seats AS (
    INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)
    SELECT $1, pools.id, app_user.id, 1, 1 FROM pools, app_user WHERE tenant_id = $1 RETURNING id, license_id
)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT $1, seats.id, grants.id, 1, gen_random_uuid() FROM seats JOIN grants USING (license_id)
"""


@pytest.fixture
async def tenant_id(database_url):
    database = Database(database_url)
    tenant = await create_tenant(database, key="acme", org="acme-org", name="Acme")
    await database.close()
    return tenant.id


@pytest.fixture
async def sql(database_url, tenant_id):
    connection = await asyncpg.connect(plain_dsn(database_url))
    await add_people(connection, tenant_id, PEOPLE)
    await add_groups(connection, tenant_id, 10)
    await add_members(connection, tenant_id, "g1", PEOPLE)
    await connection.execute("UPDATE user_group SET user_count = $1, assignment_count = $1 WHERE key = 'g1'", PEOPLE)
    await connection.execute(GIVEN, tenant_id, PEOPLE)
    await connection.execute("VACUUM ANALYZE")
    yield connection
    await connection.close()


async def plan(sql, tenant_id, name, **binds):
    """The plan of a block for these values, run: every step with how many rows it touched."""
    statement = SQL[name]
    grants = await sql.fetch("SELECT id, license_id FROM group_license ORDER BY id")
    values = {
        "tenant_id": tenant_id,
        "group_id": await sql.fetchval("SELECT id FROM user_group WHERE key = 'g1'"),
        "grant_ids": [grant["id"] for grant in grants],
        "license_ids": [grant["license_id"] for grant in grants],
        "offset": 0,
        "limit": LIMIT,
        **binds,
    }
    await sql.execute(SQL["plan_for_these_values"].sql.replace("true", "false"))
    await act_as_reader(sql, tenant_id)
    await sql.execute(f"PREPARE looked_at AS {statement.sql}")
    arguments = ", ".join(_literal(values[bind]) for bind in statement.binds)
    found = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at ({arguments})")
    await sql.execute("DEALLOCATE looked_at")
    await act_as_owner(sql)
    return list(_steps(json.loads(found)[0]["Plan"]))


def touched(steps):
    return max(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        for step in steps
        if step.get("Relation Name") in BIG_TABLES
    )


@pytest.mark.parametrize("descending", [False, True])
async def test_a_page_of_members_reads_little_more_than_itself(sql, tenant_id, descending):
    for by in (By.MADE, By.KEY, By.EMAIL, By.FIRST_NAME, By.LAST_NAME, By.DISPLAY_NAME):
        order = Wanted(by=by, descending=descending).order
        assert touched(await plan(sql, tenant_id, "licensed_members", by=order)) <= BOUND, order


async def test_what_the_workers_count_is_not_counted_again(sql, tenant_id, database_url):
    database = Database(database_url)
    group = await bundles_of_group(database, tenant_id, "g1")
    assert [bundle.assigned for bundle in group.bundles] == [PEOPLE, PEOPLE]
    await sql.execute("DELETE FROM entitlement_source WHERE entitlement_id % 2 = 0")  # only a count would notice
    members, total = await page_of_members(database, tenant_id, "g1", Wanted(limit=LIMIT))
    await database.close()
    assert (len(members), total) == (LIMIT, PEOPLE)


def _literal(value):
    if isinstance(value, list):
        return f"ARRAY{value}"
    return f"'{value}'" if isinstance(value, str) else str(value)


def _steps(step):
    yield step
    for inner in step.get("Plans", []):
        yield from _steps(inner)
