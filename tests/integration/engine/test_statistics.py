"""Tables that have been filled within seconds are analyzed within seconds, once, and by whoever may."""

import asyncio

import asyncpg
import pytest

from infra.postgres.database import Database, plain_dsn
from infra.postgres.statistics import analyze_outgrown
from infra.settings import Settings
from tests.support.waiting import found
from workers import statistics
from workers.main import Worker
from workers.statistics import Statistics

FILL = (
    "INSERT INTO app_user (tenant_id, key, username, username_key)"
    " SELECT $1, 'p' || n, 'p' || n, 'p' || n FROM generate_series($2::int, $3::int) AS n"
)

SEATS = (
    "INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)"
    " SELECT $1, 1, n, 1, 1 FROM generate_series($2::int, $3::int) AS n"
)
ONE_SEAT = "SELECT id FROM entitlement WHERE tenant_id = 1 AND license_id = 1 AND user_id = 1 LIMIT 1"


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(plain_dsn(database_url), statement_cache_size=0)
    for table in ("app_user", "entitlement"):
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    yield connection
    await connection.close()


async def counted(sql):
    """How many people Postgres believes there are; -1: nobody knows."""
    return await sql.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'app_user'::regclass")


async def test_a_table_is_analyzed_when_it_has_outgrown_what_is_known_of_it(database, sql, tenant):
    known = []
    for first, last in ((1, 1_000), (1_001, 40_000), (40_001, 80_000), (80_001, 240_000)):
        await sql.execute(FILL, tenant.id, first, last)
        await analyze_outgrown(database)
        known.append(await counted(sql))
    assert known == [-1, 40_000, 40_000, 240_000]
    assert await sql.fetchval("SELECT count(*) FROM pg_stats WHERE tablename = 'app_user'") > 0


async def test_a_login_that_may_not_analyze_leaves_it(database_url, sql, tenant):
    await sql.execute(FILL, tenant.id, 1, 40_000)
    database = Database(database_url, name="a stranger", role="pg_read_all_data")
    await analyze_outgrown(database)
    await database.close()
    assert await counted(sql) == -1


async def test_one_process_looks_and_the_others_leave_it(database, sql, tenant):
    await sql.execute(FILL, tenant.id, 1, 40_000)
    async with sql.transaction():
        await sql.execute("SELECT pg_advisory_xact_lock(5391005)")
        await analyze_outgrown(database)
    assert await counted(sql) == -1
    await analyze_outgrown(database)
    assert await counted(sql) == 40_000


async def test_nobody_waits_for_a_table_that_somebody_else_analyzes(database, sql, tenant):
    await sql.execute(FILL, tenant.id, 1, 40_000)
    async with sql.transaction():
        await sql.execute("LOCK TABLE app_user IN SHARE UPDATE EXCLUSIVE MODE")
        async with asyncio.timeout(5):
            await analyze_outgrown(database)
    assert await counted(sql) == -1


async def test_nobody_waits_for_a_migration(database, sql, tenant):
    await sql.execute(FILL, tenant.id, 1, 40_000)
    async with sql.transaction():
        await sql.execute("LOCK TABLE group_member IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with asyncio.timeout(5):
                await analyze_outgrown(database)
    assert await counted(sql) == -1


async def test_one_table_at_a_time_and_first_what_has_grown_most(database, sql, tenant):
    await sql.execute(FILL, tenant.id, 1, 40_000)
    await sql.execute(SEATS, tenant.id, 1, 200_000)
    await analyze_outgrown(database)
    assert await counted(sql) == -1
    await analyze_outgrown(database)
    assert await counted(sql) == 40_000


async def test_a_session_that_knew_the_seats_few_finds_one_of_many_by_its_index(database, database_url, sql, tenant):
    await sql.execute(SEATS, tenant.id, 1, 15_000)
    old = await asyncpg.connect(plain_dsn(database_url), statement_cache_size=0)
    await old.execute(ONE_SEAT)
    await sql.execute(SEATS, tenant.id, 15_001, 100_000)
    await old.execute(ONE_SEAT)
    await analyze_outgrown(database)
    [scan] = [row[0] for row in await old.fetch(f"EXPLAIN {ONE_SEAT}") if "Scan" in row[0]]
    await old.close()
    assert "entitlement_user_key" in scan or "entitlement_person_idx" in scan


async def test_a_running_worker_does_it_by_itself(database_url, sql, tenant):
    worker = Worker(Settings(database_url=database_url))
    await worker.start()
    await sql.execute(FILL, tenant.id, 1, 40_000)

    async def is_counted():
        return await counted(sql) == 40_000

    await found(is_counted)
    await worker.stop()


async def test_after_a_failure_a_table_is_left_to_autovacuum_for_a_while(monkeypatch, database):
    pauses, outcomes = [], [asyncpg.LockNotAvailableError("a migration"), None, ZeroDivisionError()]

    async def look(_database):
        if outcome := outcomes.pop(0):
            raise outcome

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(statistics, "analyze_outgrown", look)
    monkeypatch.setattr(statistics.asyncio, "sleep", pause)
    with pytest.raises(ZeroDivisionError):
        await Statistics(database=database).run()
    assert [30 <= seconds <= 60 for seconds in pauses] == [True, False]
