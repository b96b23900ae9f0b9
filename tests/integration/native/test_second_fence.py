"""Behind the second fence a query that forgets its tenant sees this tenant's rows alone; without it, everybody's."""

import asyncio
import re
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from domain.events import EventType
from infra.local import databases
from infra.postgres import migrate, roles
from infra.postgres.database import Database
from infra.postgres.fences import INTAKE, READER, Fence
from infra.postgres.reads.operations import NEWEST
from infra.postgres.statements import compile_block, load
from tests.support.api import groups, people, serving
from tests.support.directory import add_events, add_groups, add_members, add_operations, add_people
from tests.support.entitlements import add_grant, add_holders, add_licenses
from tests.support.servers import private_postgres
from workers.cli.check import check

LAST = 2**63 - 1
PAGE = {"window": 1_000, "limit": 1_000, "after": 0}
FIRST = {"after_group": 0, "after_user": 0, "after_role": 0, "sources": 15}
ALL = {"after_license": 0, "after_id": 0, "last_license": LAST, "states": [1, 2, 3, 4, 5]}
UNFILTERED = dict.fromkeys(("department", "active", "username_key", "email_key", "name", "permission_scope"))
LICENSES = dict.fromkeys(("kind", "active", "name", "code", "program_key"))
OPERATIONS = {"before": NEWEST, "statuses": None, "kinds": None, "since": datetime(2000, 1, 1, tzinfo=UTC)}
# Blocks that show rows of many, and the binds under which they show all of them.
LISTS = [
    ("read_directory", "page_of_users", UNFILTERED),
    ("read_directory", "page_of_groups", UNFILTERED),
    ("read_directory", "page_of_roles", UNFILTERED),
    ("read_assignments", "assignments_of_tenant", FIRST),
    ("read_operations", "page_of_operations", OPERATIONS),
    ("read_licenses", "page_of_licenses", LICENSES),
    ("read_entitlements", "entitlements_of_licenses", ALL),
    ("read_account", "quantities", {}),
]
READABLE = """
SELECT relname FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND has_table_privilege('seatline_reader', oid, 'SELECT')
"""
UNGUARDED = f"{READABLE} AND NOT (relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))"
RIGHTS = "SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = :role"


@pytest.fixture
async def two(sql, tenant, stranger):
    """Two tenants with the same keys; one cannot be told from the other but by its ids."""
    for one in (tenant, stranger):
        await add_people(sql, one.id, 5)
        await add_groups(sql, one.id, 2)
        await add_members(sql, one.id, "g1", 3)
        await add_operations(sql, one.id, 4)
        await add_events(sql, one.id, one.key, (EventType.USER_UPDATED, 3))
        await add_licenses(sql, one.id, 4)
        await add_holders(sql, one.id, "l1", 1, 3, grant_id=await add_grant(sql, one.id, "g1", "l1"))
    return tenant, stranger


def forgetful(file, name):
    """Copies of the block, each with one of its conditions on the tenant taken out."""
    statement = load(file)[name]
    [place] = [f"${number}" for number, bind in enumerate(statement.binds, 1) if bind == "tenant_id"]
    for found in re.finditer(rf"(?:\w+\.)?tenant_id = \{place}(?!\d)", statement.sql):
        anything = f"CAST({place} AS bigint) IS NOT NULL"
        text = statement.sql[: found.start()] + anything + statement.sql[found.end() :]
        yield type(statement)(name=f"{name}, without {found[0]}", sql=text, binds=statement.binds)


async def rows_of(reads, statement, tenant_id, binds):
    return sorted(str(dict(row)) for row in await reads.fetch(statement, **{**PAGE, "tenant_id": tenant_id, **binds}))


async def test_a_query_that_forgets_its_tenant_shows_no_other_tenant_s_rows(database, two):
    tenant, _ = two
    fenced = Fence(database).of_tenant(tenant.id)
    for file, name, binds in LISTS:
        whole = await rows_of(fenced, load(file)[name], tenant.id, binds)
        assert whole
        leaks = []
        for copy in forgetful(file, name):
            assert await rows_of(fenced, copy, tenant.id, binds) == whole, copy.name
            leaks.append(await rows_of(database, copy, tenant.id, binds) != whole)
        assert any(leaks), f"{name} has no condition whose loss would show without the fence"


async def test_every_table_that_can_be_read_shows_one_tenant_alone(database, sql, two):
    tenant, stranger = two
    for row in await sql.fetch(READABLE):
        counted = compile_block("counted", f"SELECT DISTINCT tenant_id FROM {row['relname']}")
        for one in (tenant, stranger):
            seen = {found["tenant_id"] for found in await Fence(database).of_tenant(one.id).fetch(counted)}
            assert seen <= {one.id}, row["relname"]
    assert await sql.fetch(UNGUARDED) == []


@pytest.mark.parametrize("table", ["api_token", "tenant", "worker", "due"])
async def test_what_no_tenant_reads_is_closed(database, tenant, table):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await Fence(database).of_tenant(tenant.id).fetch(compile_block("closed", f"SELECT * FROM {table}"))


async def test_nothing_can_be_written_from_behind_the_fence(database, sql, tenant):
    await sql.execute(f"GRANT UPDATE ON user_group TO {READER}")
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await Fence(database).of_tenant(tenant.id).fetch(compile_block("write", "UPDATE user_group SET name = ''"))


async def test_role_and_tenant_end_with_their_transaction_however_it_ends(database_url, tenant):
    single = Database(database_url, size=1)
    who = compile_block("who", "SELECT current_user AS who, current_setting('seatline.tenant_id', true) AS tenant")
    itself = (await single.fetch(who))[0]["who"]
    fence = Fence(single)
    assert dict((await fence.of_tenant(tenant.id).fetch(who))[0]) == {"who": READER, "tenant": str(tenant.id)}
    with pytest.raises(asyncpg.DivisionByZeroError):
        await fence.of_tenant(tenant.id).fetch(compile_block("wrong", "SELECT 1 / 0"))
    with pytest.raises(asyncpg.UndefinedTableError):
        await fence.of_tenant(tenant.id).fetch(compile_block("wrong", "SELECT FROM nowhere"))
    assert dict((await single.fetch(who))[0]) == {"who": itself, "tenant": ""}
    assert fence.is_up
    await single.close()


async def test_a_search_for_another_tenant_is_refused(database, two):
    tenant, stranger = two
    fenced = Fence(database).of_tenant(tenant.id)
    found = "SELECT count_members_found(:tenant_id, 1, '%', NULL) AS found"
    assert await fenced.fetch(compile_block("found", found), tenant_id=tenant.id)
    for function in (found, "SELECT * FROM search_members(:tenant_id, 1, '%', NULL, NULL, NULL, 0, 10)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fenced.fetch(compile_block("searched", function), tenant_id=stranger.id)


async def test_intake_accepts_and_reads_answers_and_sees_nothing_else(api):
    who = compile_block("who", "SELECT current_user AS who")
    assert (await api.services.acceptance.fetch(who))[0]["who"] == INTAKE
    closed = compile_block("closed", "UPDATE operation SET status = 'succeeded'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await api.services.acceptance.fetch(closed)
    rights = await api.services.database.fetch(compile_block("rights", RIGHTS), role=INTAKE)
    assert {(row["table_name"], row["privilege_type"]) for row in rights} == {
        ("operation", "INSERT"),
        ("operation", "SELECT"),
    }


async def test_a_login_that_may_not_act_as_the_roles_serves_without_the_second_fence(database_server_url, sql):
    async with other_login(sql, database_server_url) as url:
        await migrate.upgrade(url)
        assert not await roles.stands(url)
        with capture_logs() as lines:
            async with serving(url) as api:
                await api.arrange_together(groups("sales"), people("ada"))
                found = await api.call("GET", "/api/admin/users/v4/user-groups/sales/assignments?search_term=ada")
                assert (found.status_code, found.json()["assignments"]) == (200, [])
                assert (await api.call("GET", "/v1/users/ada")).status_code == 200
                assert not api.services.fence.is_up
        told = [
            line["role"] for line in lines if line["event"] in {"row-level security is off", "a pool acts as its login"}
        ]
        assert sorted(told) == [INTAKE, READER]
        done = await asyncio.to_thread(CliRunner().invoke, check, env={"SEATLINE_DATABASE_URL": url})
        assert (done.exit_code, "Row-level security is OFF" in done.output) == (0, True)


def test_a_login_that_may_make_roles_makes_them_with_the_schema():
    with private_postgres() as running:
        url = asyncio.run(login_of_its_own(running.server.url, "CREATEROLE"))
        asyncio.run(migrate.upgrade(url))
        assert asyncio.run(roles.stands(url))
        asyncio.run(migrate.upgrade(url))
        done = CliRunner().invoke(check, env={"SEATLINE_DATABASE_URL": url})
        assert (done.exit_code, "Row-level security is on" in done.output) == (0, True)


async def login_of_its_own(server_url, *attributes):
    """A login that is no superuser, with a database that it owns."""
    name = f"login_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(databases.with_database(server_url, "postgres"))
    try:
        await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' {' '.join(attributes)}")
        await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    finally:
        await connection.close()
    parts = urlsplit(databases.with_database(server_url, name))
    return urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.hostname}:{parts.port}"))


@asynccontextmanager
async def other_login(sql, server_url):
    url = await login_of_its_own(server_url)
    name = urlsplit(url).username
    try:
        yield url
    finally:
        await sql.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await sql.execute(f"DROP ROLE {name}")
