"""The daily recount: one worker does it, in its hour, once; what it finds is in the log and in /metrics."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from structlog.testing import capture_logs

from domain.drift import Check
from infra.measures.exposition import registry_of
from infra.postgres.database import Database
from infra.settings import Settings
from tests.support import rows
from tests.support.waiting import eventually
from workers import verification
from workers.main import Worker
from workers.verification import Verification

HOUR = 3
IN_THE_HOUR = datetime(2026, 5, 4, HOUR, 59, tzinfo=UTC)
AFTER_IT = datetime(2026, 5, 4, HOUR + 1, 0, tzinfo=UTC)
THE_NEXT_DAY = datetime(2026, 5, 5, HOUR, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock(IN_THE_HOUR)


@pytest.fixture
def daily(database, clock):
    return Verification(database=database, hour=HOUR, now=clock)


def shown(daily, name, **labels):
    return registry_of(daily._database.measures).get_sample_value(f"seatline_verify_{name}", labels)


async def test_what_it_finds_is_a_line_for_each_tenant_and_numbers_for_all(daily, tenant, stranger, sql):
    for one in (tenant, stranger):
        await rows.one_fulfilled_group(sql, one.id)
    await sql.execute("UPDATE license SET used = 3 WHERE tenant_id = $1", tenant.id)
    await sql.execute("UPDATE user_group SET user_count = 0 WHERE tenant_id = $1", tenant.id)
    with capture_logs() as lines:
        await daily.verify()
    [told] = [line for line in lines if line["log_level"] == "error"]
    number = await sql.fetchval("SELECT id FROM license WHERE tenant_id = $1", tenant.id)
    assert (told["tenant_id"], told["drift"]) == (tenant.id, 2)
    assert told["checks"] == {"group_counts": 1, "license_counts": 1}
    assert {"check": "license_counts", "license_id": number} in told["findings"]
    assert lines[-1] == {
        "event": "the daily recount has ended", "log_level": "info",
        "tenants": 2, "failed": 0, "rows": 6 * rows.PEOPLE, "drift": 2,
    }  # fmt: skip
    assert shown(daily, "drift", check="license_counts") == 1
    assert shown(daily, "drift", check="stray_source") == 0
    assert (shown(daily, "tenants"), shown(daily, "failed_tenants"), shown(daily, "rows")) == (2, 0, 6 * rows.PEOPLE)
    assert shown(daily, "finished_timestamp_seconds") > 0


async def test_drift_that_is_mended_is_no_longer_shown(daily, tenant, sql):
    await rows.one_fulfilled_group(sql, tenant.id)
    await sql.execute("UPDATE license SET used = 3")
    await daily.verify()
    await sql.execute("UPDATE license SET used = $1", rows.PEOPLE)
    await daily.verify()
    assert [shown(daily, "drift", check=check.value) for check in Check] == [0] * len(Check)


async def test_a_tenant_that_cannot_be_read_hides_nothing_of_the_others(daily, tenant, stranger, sql, monkeypatch):
    await rows.one_fulfilled_group(sql, stranger.id)
    await sql.execute("UPDATE license SET used = 3")
    real = verification.recount

    async def failing(database, one):
        if one.id == tenant.id:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        return await real(database, one)

    monkeypatch.setattr(verification, "recount", failing)
    await daily.verify()
    assert (shown(daily, "tenants"), shown(daily, "failed_tenants")) == (1, 1)
    assert shown(daily, "drift", check="license_counts") == 1


async def test_it_is_done_in_its_hour_and_once_a_day(daily, clock, monkeypatch):
    monkeypatch.setattr(verification, "_PING_SECONDS", 0.001)
    for now, rounds in ((AFTER_IT, 0), (IN_THE_HOUR, 1), (IN_THE_HOUR, 1), (THE_NEXT_DAY, 2)):
        clock.now = now
        looking = asyncio.create_task(daily.once())
        await eventually(lambda rounds=rounds: daily.rounds == rounds)
        clock.now = AFTER_IT
        await looking


async def test_one_worker_does_it_and_another_takes_over_when_it_is_gone(daily, database_url, clock):
    other_database = Database(database_url, size=2)
    other = Verification(database=other_database, hour=HOUR, now=clock)
    leading = asyncio.create_task(daily.once())
    await eventually(lambda: daily.rounds == 1)
    await other.once()
    assert other.rounds == 0
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)

    taking_over = None

    def has_taken_over():
        nonlocal taking_over
        if taking_over is None or taking_over.done():
            taking_over = asyncio.create_task(other.once())
        return other.rounds == 1

    await eventually(has_taken_over)
    taking_over.cancel()
    await asyncio.gather(taking_over, return_exceptions=True)
    await other_database.close()


@pytest.mark.parametrize(("hour", "is_kept"), [(0, True), (None, False)])
async def test_a_worker_does_it_unless_it_is_off(database_url, hour, is_kept):
    worker = Worker(Settings(database_url=database_url, verify_hour=hour))
    await worker.start()
    try:
        assert ("verification" in {task.get_name() for task in asyncio.all_tasks()}) is is_kept
    finally:
        await worker.stop()
