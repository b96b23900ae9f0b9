"""Transactions leave nothing behind: not after an error, a cancellation, a lost session or a dry run."""

import asyncio

import asyncpg
import pytest

from infra.postgres.database import Database, plain_dsn
from infra.postgres.faults import is_transient
from infra.postgres.statements import compile_block
from tests.support.waiting import eventually

INSERT = compile_block("insert", "INSERT INTO tenant_log (tenant_id) VALUES (CAST(:tenant_id AS bigint))")
COUNT = compile_block("count", "SELECT count(*) AS rows FROM tenant_log")
LOCK = compile_block("lock", "SELECT pg_advisory_xact_lock(1)")
NEWEST_GOES = compile_block(
    "newest_goes", "DELETE FROM tenant_log WHERE tenant_id = (SELECT max(tenant_id) FROM tenant_log)"
)
WAITERS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
 WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""
PID = compile_block("pid", "SELECT pg_backend_pid() AS pid")
SHORT = compile_block("short", "SET LOCAL idle_in_transaction_session_timeout = '1ms'")
SETTING = compile_block("setting", "SELECT current_setting(:name) AS value")


@pytest.fixture
async def single(database_url):
    """A database with one connection, so that whatever a block leaves in it meets the next."""
    database = Database(database_url, name="test", size=1)
    yield database
    await database.close()


@pytest.fixture
async def other(database_url):
    connection = await asyncpg.connect(plain_dsn(database_url))
    yield connection
    await connection.close()


async def rows_of(database):
    async with database.transaction() as tx:
        return (await tx.fetch(COUNT))[0]["rows"]


async def test_a_block_that_ends_is_committed_and_one_that_raises_is_not(single):
    async with single.transaction() as tx:
        await tx.execute(INSERT, tenant_id=1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await fail_in(single)
    assert await rows_of(single) == 1


async def test_after_an_error_of_the_database_the_connection_is_clean(single):
    for _ in range(3):
        with pytest.raises(asyncpg.UniqueViolationError):
            await fail_in(single)
        assert await rows_of(single) == 0


async def test_an_error_of_what_is_under_way_is_raised_by_the_next_statement(single):
    with pytest.raises(asyncpg.UniqueViolationError):
        await fail_before(single, COUNT)
    assert await rows_of(single) == 0


async def test_an_error_of_what_is_under_way_is_raised_by_the_commit_and_ends_what_follows(single):
    opened = []
    with pytest.raises(asyncpg.UniqueViolationError):
        await fail_at_the_end(single, opened)
    assert not opened[0].commit_sent
    assert await rows_of(single) == 0


async def test_an_error_of_the_block_waits_for_what_is_under_way(single, other):
    """Else the next transaction would find its connection busy."""
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(1)")
        failing = asyncio.create_task(raise_beside(single))
        async with asyncio.timeout(10):
            while not await other.fetchval(WAITERS):
                pass
        assert not failing.done()
    with pytest.raises(ZeroDivisionError):
        await failing
    assert await rows_of(single) == 0


async def test_statements_under_way_keep_their_order(single):
    async with single.transaction() as tx:
        for tenant_id in range(1, 20):
            await tx.execute(INSERT, tenant_id=tenant_id)
            if tenant_id % 3 == 0:
                await tx.execute(NEWEST_GOES)
        assert (await tx.fetch(COUNT))[0]["rows"] == 19 - 6


async def test_a_cancelled_block_hands_no_open_transaction_to_the_next(single, other):
    waiting = asyncio.Event()

    async def block():
        async with single.transaction() as tx:
            await tx.execute(INSERT, tenant_id=1)
            waiting.set()
            await tx.execute(LOCK)

    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(1)")
        task = asyncio.create_task(block())
        await asyncio.wait_for(waiting.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await rows_of(single) == 0


@pytest.mark.parametrize("how", ["a transaction", "a single statement"])
async def test_a_session_that_the_server_ended_is_replaced(single, other, how):
    async with single.transaction() as tx:
        pid = (await tx.fetch(PID))[0]["pid"]
        session = tx._connection
    await other.fetchval("SELECT pg_terminate_backend($1)", pid)
    await eventually(session.is_closed)  # between its farewell and its end a session is still taken for a living one
    if how == "a transaction":
        assert await rows_of(single) == 0
    else:
        assert (await single.fetch(PID))[0]["pid"] != pid


async def test_what_is_undone_is_gone_and_the_transaction_goes_on(single):
    async with single.transaction() as tx:
        await tx.execute(INSERT, tenant_id=1)
        async with tx.undone():
            await tx.execute(INSERT, tenant_id=2)
            assert (await tx.fetch(COUNT))[0]["rows"] == 2
        assert (await tx.fetch(COUNT))[0]["rows"] == 1
    assert await rows_of(single) == 1


async def test_an_error_in_an_undone_block_is_undone_too(single):
    async with single.transaction() as tx:
        with pytest.raises(asyncpg.UniqueViolationError):
            await fail_undone(tx)
        await tx.execute(INSERT, tenant_id=3)
    assert await rows_of(single) == 1


async def test_a_bind_that_is_missing_is_told(single):
    with pytest.raises(KeyError, match="tenant_id"):
        async with single.transaction() as tx:
            await tx.execute(INSERT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("idle_in_transaction_session_timeout", "5s"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_user_timeout", "10000"),
        ("TimeZone", "UTC"),
        ("transaction_isolation", "read committed"),
        ("application_name", "test"),
    ],
)
async def test_no_holder_becomes_a_ghost(single, name, value):
    async with single.transaction() as tx:
        assert (await tx.fetch(SETTING, name=name))[0]["value"] == value


async def test_a_holder_that_falls_asleep_loses_its_session(single, other):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which error it is, is_transient says
        await sleep_in(single, other)
    assert is_transient(caught.value)
    assert await rows_of(single) == 0


async def fail_in(database):
    async with database.transaction() as tx:
        await tx.execute(INSERT, tenant_id=2)
        await tx.execute(INSERT, tenant_id=2)


async def fail_at_the_end(database, opened):
    async with database.transaction() as tx:
        opened.append(tx)
        for tenant_id in (2, 2, 3):
            await tx.execute(INSERT, tenant_id=tenant_id)


async def fail_before(database, statement):
    async with database.transaction() as tx:
        await tx.execute(INSERT, tenant_id=2)
        await tx.execute(INSERT, tenant_id=2)
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            await tx.fetch(statement)
        raise caught.value


async def raise_beside(database):
    async with database.transaction() as tx:
        await tx.execute(INSERT, tenant_id=1)
        await tx.execute(LOCK)
        raise ZeroDivisionError


async def fail_undone(tx):
    async with tx.undone():
        await tx.execute(INSERT, tenant_id=1)
        await tx.execute(INSERT, tenant_id=1)


async def sleep_in(database, other):
    async with database.transaction() as tx:
        await tx.execute(INSERT, tenant_id=1)
        pid = (await tx.fetch(PID))[0]["pid"]
        await tx.execute(SHORT)
        async with asyncio.timeout(10):
            while await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid):
                pass
        await tx.execute(INSERT, tenant_id=2)
