"""Lists of a large group walk the index of their order, and a rare term is found by the trigram index."""

import asyncio
import json

import asyncpg
import pytest

from infra.local import databases
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from infra.postgres.reads.user_groups import By, like_pattern
from infra.postgres.statements import load
from tests.support.directory import add_groups, add_members, add_people
from tests.support.fences import act_as_owner, act_as_reader, inside

PEOPLE = 20_000
LIMIT = 10
# A page, and a few rows more: an order that ends in ties is sorted in runs, and a term that many match skips some.
BOUND = 30 * LIMIT
BIG_TABLES = {"app_user", "group_assignment"}
SQL = load("read_user_groups")


@pytest.fixture(scope="module")
def filled_url(database_server_url):
    """One database for all of these tests, which only read."""
    url = databases.create(database_server_url)
    asyncio.run(fill(url))
    yield url
    databases.drop(url)


@pytest.fixture
async def sql(filled_url):
    connection = await asyncpg.connect(plain_dsn(filled_url))
    await connection.execute(SQL["plan_for_these_values"].sql.replace("true", "false"))
    await act_as_reader(connection, 1)
    yield connection
    await connection.close()


async def fill(database_url):
    """Everybody is in the first group."""
    database = Database(database_url)
    tenant = await create_tenant(database, key="acme", org="acme-org", name="Acme")
    await database.close()
    connection = await asyncpg.connect(plain_dsn(database_url))
    await add_people(connection, tenant.id, PEOPLE)
    await add_groups(connection, tenant.id, 10)
    await add_members(connection, tenant.id, "g1", PEOPLE)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def plan(sql, name, **binds):
    """The plan of a block for these values, run: every step with how many rows it touched."""
    values = {"tenant_id": 1, "group_id": 1, "role_ids": None, "first": None, "second": None}
    return await looked_at(sql, SQL[name], {**values, "offset": 0, "limit": LIMIT} | binds)


async def plan_of_search(sql, function, pattern):
    """The same of what a search function runs, which sees past the fence."""
    statement = await inside(sql, function)
    await act_as_owner(sql)
    values = {"asked_tenant": 1, "asked_group": 1, "asked_roles": None, "first_order": None, "second_order": None}
    return await looked_at(sql, statement, {**values, "pattern": pattern, "skipped": 0, "most": LIMIT})


async def looked_at(sql, statement, values):
    await sql.execute(f"PREPARE looked_at AS {statement.sql}")
    arguments = ", ".join(_literal(values[bind]) for bind in statement.binds)
    found = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at ({arguments})")
    await sql.execute("DEALLOCATE looked_at")
    return list(_steps(json.loads(found)[0]["Plan"]))


def touched(steps):
    return max(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        for step in steps
        if step.get("Relation Name") in BIG_TABLES
    )


def indexes(steps):
    return {step["Index Name"] for step in steps if "Index Name" in step}


async def test_a_page_in_the_order_of_names_reads_little_more_than_itself(sql):
    orders = [(first, second) for first in By for second in (None, *By) if not second or first[:5] != second[:5]]
    for first, second in orders:
        steps = await plan(sql, "assignments_by_person", first=first, second=second)
        assert touched(steps) <= BOUND, (first, second)
        assert f"app_user_{first.rpartition('_')[0]}_idx" in indexes(steps)


async def test_a_page_in_the_order_of_creation_reads_little_more_than_itself(sql):
    steps = await plan(sql, "assignments_as_made")
    assert touched(steps) <= BOUND
    assert "group_assignment_created_idx" in indexes(steps)


async def test_a_rare_term_is_found_by_its_trigrams(sql):
    for function in ("search_members", "count_members_found"):
        steps = await plan_of_search(sql, function, like_pattern("last12345"))
        assert "app_user_search_idx" in indexes(steps)
        assert touched(steps) <= BOUND


async def test_a_page_of_a_term_that_all_match_reads_little_more_than_itself(sql):
    assert touched(await plan_of_search(sql, "search_members", like_pattern("department"))) <= BOUND


async def test_what_a_search_has_found_is_looked_up_behind_the_fence(sql):
    assert touched(await plan(sql, "assignments_found", pattern=like_pattern("last12345"))) <= BOUND


def _steps(step):
    yield step
    for inner in step.get("Plans", []):
        yield from _steps(inner)


def _literal(value):
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)
