"""No list of a licence with many assignments reads much more than its page, whatever it is filtered by.

The blocks are planned for their values, as the reads ask for.
"""

import asyncio

import asyncpg
import pytest

from domain.entitlements import State
from infra.local import databases
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from infra.postgres.statements import load
from tests.support.directory import add_groups, add_people
from tests.support.entitlements import add_address, add_grant, add_holders, add_licenses
from tests.support.fences import act_as_reader
from tests.support.plans import unbounded_steps

PEOPLE = 20_000
GROUPS = 300
LIMIT = 10
# What a filter may pass over, and what is counted beside the kept counts.
FEW = 25
BOUND = LIMIT + FEW
TABLES = {"app_user", "entitlement", "entitlement_source", "group_license"}
NO_FILTER = {"active": None, "fulfilled": None, "descending": False, "offset": 0, "limit": LIMIT}
SQL = load("read_catalog")


@pytest.fixture(scope="module")
def filled_url(database_server_url):
    """One database for all of these tests, which only read."""
    url = databases.create(database_server_url)
    asyncio.run(fill(url))
    yield url
    databases.drop(url)


@pytest.fixture
async def licences(filled_url):
    sql = await asyncpg.connect(plain_dsn(filled_url))
    await act_as_reader(sql, 1)
    yield sql
    await sql.close()


async def fill(database_url):
    """l2 is held by nearly everybody, l4 waited for by nearly everybody; both with a few of every other kind."""
    database = Database(database_url)
    tenant = await create_tenant(database, key="acme", org="acme-org", name="Acme")
    await database.close()
    sql = await asyncpg.connect(plain_dsn(database_url))
    await add_people(sql, tenant.id, PEOPLE)
    await add_groups(sql, tenant.id, GROUPS)
    await add_licenses(sql, tenant.id, 20)
    for group in range(1, GROUPS + 1):
        await add_grant(sql, tenant.id, f"g{group}", "l2")
    most = PEOPLE - 2 * FEW
    for key, many, few in (("l2", State.ACTIVE, State.QUEUED), ("l4", State.QUEUED, State.ACTIVE)):
        await add_holders(sql, tenant.id, key, 1, most // 2, state=many)
        await add_holders(sql, tenant.id, key, most // 2 + 1, most // 2 + FEW, state=few)
        await add_holders(sql, tenant.id, key, most // 2 + FEW + 1, PEOPLE - FEW, state=many)
        await add_holders(sql, tenant.id, key, PEOPLE - FEW + 1, PEOPLE, state=State.SUSPENDED)
        for number in range(FEW):
            await add_address(sql, tenant.id, key, f"a{number}@example.org")
    await sql.execute("VACUUM ANALYZE")
    await sql.close()


@pytest.mark.parametrize("descending", [False, True])
async def test_a_page_of_assignments_reads_little_more_than_itself(licences, descending):
    too_much = []
    for license_id in (2, 4):
        for active in (None, True, False):
            for fulfilled in (None, True, False):
                if not (active is False and fulfilled):  # nothing is both, and nobody asks the database
                    filters = {"active": active, "fulfilled": fulfilled, "descending": descending}
                    values = NO_FILTER | filters | {"license_id": license_id}
                    steps = await looked_at(licences, "assignments_in_order", values, bound=BOUND + FEW)
                    too_much += [f"{license_id} {filters}: {step}" for step in steps]
    assert too_much == []


async def test_a_person_s_assignments_are_looked_up(licences):
    for person in (
        {"user_id": 77, "email_key": None},
        {"user_id": None, "email_key": "a7@example.org"},
        {"user_id": 77, "email_key": "u77@example.org", "fulfilled": True},
    ):
        values = NO_FILTER | person | {"license_id": 2}
        assert await looked_at(licences, "assignments_of_person", values, bound=2) == []
    assert await looked_at(licences, "user_of_address", {"email_key": "u77@example.org"}, bound=1) == []


async def test_what_is_shown_of_assignments_is_looked_up(licences):
    ids = list(range(100, 100 + LIMIT))
    assert await looked_at(licences, "assignments", {"ids": ids}, bound=LIMIT) == []


async def test_exceptions_alone_are_counted(licences):
    for license_id in (2, 4):
        assert await looked_at(licences, "exceptions", {"license_id": license_id}, bound=FEW) == []


async def test_a_page_of_groups_reads_little_more_than_itself(licences):
    for more in ({}, {"active": True}, {"group_id": 7}, {"descending": True}):
        values = NO_FILTER | {"license_id": 2, "group_id": None} | more
        assert await looked_at(licences, "group_assignments", values, bound=BOUND) == [], more


async def test_verbose_counts_only_what_was_set_inactive(licences):
    filters = dict.fromkeys(("active", "external_id", "name", "program_id", "part", "source"))
    values = NO_FILTER | filters | {"verbose": True}
    # Ten licences on the page, two of which have assignments that were set inactive.
    assert await looked_at(licences, "programs", values, bound=FEW * LIMIT) == []


async def looked_at(sql, name, values, *, bound):
    await sql.execute("SET plan_cache_mode = force_custom_plan")
    return await unbounded_steps(sql, SQL[name], {"tenant_id": 1} | values, tables=TABLES, bound=bound)
