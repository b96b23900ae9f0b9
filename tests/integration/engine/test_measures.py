"""What passes, chunks and statements add to the measures of their process, and what becomes of them as rows."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from infra.measures.instruments import MILLISECONDS
from infra.postgres import measures as stored
from infra.postgres.database import Database
from infra.postgres.measures import SLOT, Counted, add_process_measure, last_sample, remove_old_measures, take_sample
from infra.postgres.reads import overview
from infra.postgres.reads.overview import history, read_queue, recent_measures
from infra.recording import Recorder
from tests.support.bad_handlers import BAD_HANDLERS, RAISES, named
from tests.support.dead import fail, redriving
from tests.support.directory_commands import put_groups
from tests.support.engine import Asked, Engine, accept, add_tenant
from tests.support.waiting import found
from workers.ready import FoundBy

LONG = len(MILLISECONDS) + 1


@pytest.fixture
def applying(database):
    return database.measures.applying


def counted(**values):
    times = {"accept_counts": [0] * LONG, "apply_counts": [0] * LONG}
    return Counted(**{"accepted": 0, "applied": 0, "events": 0, **times, **values})


def counts(**at):
    """How many took at most so many milliseconds."""
    return [at.get(f"ms{bound}", 0) for bound in (*MILLISECONDS, "more")]


async def write(database, process_id, **values):
    async with database.transaction() as tx:
        await add_process_measure(tx, process_id, counted(**values))


async def test_a_pass_measures_its_operations_items_events_and_times(database, tenant, applying, sql):
    engine = Engine(database)
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(3)) for _ in range(2)])
    engine.ready.add(tenant.id, lambda: None)
    await engine.turn()
    assert applying.applied.values == {("succeeded",): 2}
    assert applying.pass_operations.series[()].total == 2
    assert applying.pass_items.series[()].total == 6
    assert applying.events.total == await sql.fetchval(
        "SELECT event_seq FROM tenant_log WHERE tenant_id = $1", tenant.id
    )
    for histogram, number in ((applying.seconds, 2), (applying.claim_seconds, 1), (applying.pass_seconds, 1)):
        assert sum(histogram.series[()].counts) == number
        assert 0 < histogram.series[()].total < 30
    assert applying.passes.values[("committed",)] == 1


async def test_a_pass_tells_whether_a_claim_or_the_poll_has_found_its_tenants(database, applying):
    tenants = [await add_tenant(database) for _ in range(3)]
    await accept(database, [Asked(tenant_id=one.id, command=put_groups(1)) for one in tenants])
    engine = Engine(database)
    engine.ready.add(tenants[0].id, found_by=FoundBy.POLL)
    engine.ready.add(tenants[1].id, found_by=FoundBy.POLL)
    engine.ready.add(tenants[1].id, lambda: None)
    engine.ready.add(tenants[2].id)
    await engine.turn()
    assert applying.tenants.values == {("poll",): 1, ("claim",): 1, ("reread",): 1}
    await engine.drain(tenants[0].id)
    assert applying.passes.values[("empty",)] >= 1


async def test_what_is_rolled_back_is_counted_as_that_alone(database, tenant, applying):
    engine = Engine(database, handlers=BAD_HANDLERS)
    await engine.run(Asked(tenant_id=tenant.id, command=named("a")), Asked(tenant_id=tenant.id, command=named(RAISES)))
    assert applying.passes.values[("failed",)] == 2
    assert applying.applied.values == {("succeeded",): 1, ("failed",): 1}


async def test_statements_and_connections_are_measured(database, tenant):
    await Engine(database).run(Asked(tenant_id=tenant.id, command=put_groups(1)))
    use = database.measures.database
    assert use.statements.series[("lock_tenants",)].total > 0
    assert use.statements.series[("finish_operations",)].total > 0
    assert sum(use.waits.series[()].counts) >= 2
    assert use.connections.values[("in_use",)] == 0
    async with database.transaction():
        assert use.connections.values[("in_use",)] == 1
    assert use.most.values == {(): 6}


async def test_a_pool_that_has_nothing_left_is_measured(database_url, monkeypatch):
    monkeypatch.setattr("infra.postgres.database._CONNECT_SECONDS", 0.2)
    database = Database(database_url, size=1)
    async with database.transaction():
        with pytest.raises(Exception, match="QueuePool limit"):
            async with database.transaction():
                pass
    assert database.measures.database.timeouts.total == 1
    await database.close()


async def test_what_processes_count_is_added_up_by_slots_and_over_processes(database):
    one, other = uuid4(), uuid4()
    await write(database, one, accepted=4, accept_counts=counts(ms10=4))
    await write(database, one, accepted=6, applied=3, events=9, accept_counts=counts(ms10=5, ms200=1))
    await write(database, other, accepted=10, applied=1, apply_counts=counts(ms500=1))
    rates, times = await recent_measures(database)
    assert (rates.accepted, rates.applied, rates.events) == (20, 4, 9)
    assert overview.RATE_SECONDS <= rates.seconds <= overview.RATE_SECONDS + SLOT.total_seconds()
    assert times.accept_counts == counts(ms10=9, ms200=1)
    assert times.apply_counts == counts(ms500=1)
    [*points] = await history(database, window=timedelta(hours=1), step=timedelta(days=1))
    assert [(point.measured.accepted, point.measured.events) for point in points] == [(20, 9)]
    assert points[0].measured.accept_counts == counts(ms10=9, ms200=1)
    assert points[0].depth is None


async def test_the_recorder_writes_only_what_is_new_and_what_it_wrote_survives_it(database, tenant, sql):
    recorder = Recorder(database=database, broker_up=lambda: True)
    await recorder.once()
    assert await sql.fetchval("SELECT count(*) FROM process_measure") == 0
    await Engine(database).run(Asked(tenant_id=tenant.id, command=put_groups(2)))
    await recorder.once()
    await recorder.once()
    assert await sql.fetchval("SELECT sum(applied) FROM process_measure") == 1
    assert await sql.fetchval("SELECT sum((SELECT sum(n) FROM unnest(apply_counts) AS n)) FROM process_measure") == 1
    later = Recorder(database=database, broker_up=lambda: True)
    await later.once()
    assert await sql.fetchval("SELECT sum(applied) FROM process_measure") == 1
    assert database.measures.broker_up.values == {(): 1}


async def test_one_process_takes_the_sample_of_a_slot_for_all(database, database_url, tenant, sql):
    await sql.execute("INSERT INTO worker (name, version) VALUES ('dead', '0')")
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1)) for _ in range(3)])
    other = Database(database_url, size=2)
    async with other.transaction() as tx:  # who is at it keeps the others out
        await tx.fetch(stored._SQL["sample_is_due"], lock=stored._SAMPLE_LOCK, slot=SLOT)
        assert not await take_sample(database)
    assert await found(lambda: take_sample(database))
    sample = await last_sample(other)
    assert (sample.queue.depth, sample.queue.workers_alive, sample.waiting_seats) == (3, 0, 0)
    assert 0 <= sample.age_seconds <= SLOT.total_seconds() + 1
    recorder = Recorder(database=other, broker_up=lambda: False)
    await recorder.once()
    assert other.measures.sampled.depth.values == {(): 3}
    assert other.measures.sampled.oldest_age.values[()] > 0
    await other.close()


async def test_the_waiting_of_all_licences_is_in_the_sample(database, tenant, sql):
    await sql.execute(
        "INSERT INTO license (tenant_id, key, name, kind, code, waiting) "
        "SELECT $1, 'l' || n, 'L', 'bundle', 'C' || n, n FROM generate_series(1, 4) AS n",
        tenant.id,
    )
    assert await found(lambda: take_sample(database))
    assert (await last_sample(database)).waiting_seats == 10


async def test_the_queue_is_told_with_its_oldest_and_its_failures(database, tenant, stranger, sql):
    assert (await read_queue(database)).oldest_age_seconds is None
    [first] = await accept(database, [Asked(tenant_id=stranger.id, command=put_groups(1))])
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1)) for _ in range(2)])
    queue = await read_queue(database)
    assert (queue.depth, queue.depth_is_capped) == (3, False)
    assert (queue.oldest.tenant, queue.oldest.id) == (stranger.key, first)
    await Engine(database, handlers=BAD_HANDLERS).run(Asked(tenant_id=tenant.id, command=named(RAISES)))
    queue = await read_queue(database)
    assert queue.dead_letters_by_code == {"OPERATION_RAISED": 1}
    assert (queue.depth, queue.outbox_pending > 0, queue.outbox_lag_seconds > 0) == (1, True, True)


async def test_what_is_redriven_has_waited_since_then_and_not_since_it_was_accepted(database, tenant, applying, sql):
    [number] = await fail(Engine(database, handlers=BAD_HANDLERS), tenant, RAISES)
    await sql.execute("UPDATE operation SET accepted_at = accepted_at - interval '1 day' WHERE id = $1", number)
    await accept(database, [Asked(tenant_id=tenant.id, command=redriving(number))])
    engine = Engine(database)
    engine.ready.add(tenant.id, lambda: None)
    await engine.turn()
    assert (await read_queue(database)).oldest.id == number
    assert 0 < (await read_queue(database)).oldest_age_seconds < 60
    await engine.drain(tenant.id)
    assert 0 < applying.seconds.series[()].total < 60


async def test_a_deep_queue_is_counted_no_further_than_the_bound(database, tenant, monkeypatch):
    monkeypatch.setattr(overview, "COUNTED", 3)
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1)) for _ in range(5)])
    queue = await read_queue(database)
    assert (queue.depth, queue.depth_is_capped) == (3, True)
    assert queue.oldest.tenant == tenant.key


async def test_measures_are_removed_after_their_time(database, sql):
    old = datetime.now(UTC) - timedelta(hours=25)
    for at in (old, datetime.now(UTC)):
        await sql.execute(
            "INSERT INTO process_measure (at, process_id, accept_counts, apply_counts) VALUES ($1, $2, '{}', '{}')",
            at, uuid4(),
        )  # fmt: skip
        await sql.execute(
            "INSERT INTO overview_sample (at, depth_is_capped, dead_letters_by_code, workers_alive) "
            "VALUES ($1, false, '{}', 0)",
            at,
        )
    async with database.transaction() as tx:
        assert await remove_old_measures(tx, keep=timedelta(days=1), batch=10) == 2
    assert await sql.fetchval("SELECT min(at) FROM process_measure") > old
    assert await sql.fetchval("SELECT min(at) FROM overview_sample") > old
