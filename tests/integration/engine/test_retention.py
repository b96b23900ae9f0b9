"""Retention removes what is finished and what was published long ago, and nothing else."""

from datetime import timedelta

import pytest

from infra.postgres.statements import compile_block
from tests.support.bad_handlers import BAD_HANDLERS, RAISES, named
from tests.support.engine import Asked, Engine, accept, events_of, operations
from workers import retention
from workers.retention import Retention

KEEP = timedelta(days=30)
PUBLISH = compile_block(
    "publish",
    """
    UPDATE outbox SET published_at = now()
     WHERE tenant_id = CAST(:tenant_id AS bigint) AND first_sequence <= CAST(:up_to AS bigint)
    """,
)


@pytest.fixture
def engine(database):
    return Engine(database, handlers=BAD_HANDLERS)


async def publish(database, tenant, up_to):
    async with database.transaction() as tx:
        await tx.execute(PUBLISH, tenant_id=tenant.id, up_to=up_to)


async def sweep(database, *, days):
    """Sweep as it would be done so many days from now; how many rows went."""
    return await Retention(database=database, keep=KEEP - timedelta(days=days)).sweep()


async def test_what_is_within_its_retention_stays(database, tenant, engine):
    await engine.run(Asked(tenant_id=tenant.id, command=named("One")))
    await publish(database, tenant, 100)
    assert await sweep(database, days=29) == 0


async def test_finished_operations_go_while_open_and_failed_ones_stay_whatever_their_age(database, tenant, engine):
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=named(name)) for name in ("One", RAISES, "Two")])
    await engine.drain(tenant.id)
    [still_open] = await accept(database, [Asked(tenant_id=tenant.id, command=named("Three"))])
    assert await sweep(database, days=31) == 2
    left = await operations(database, tenant.id, [*ids, still_open])
    assert [(view.id, view.status.value) for view in left] == [(ids[1], "failed"), (still_open, "queued")]


async def test_published_events_go_as_a_prefix_and_what_is_not_published_stays(database, tenant, stranger, engine):
    for name in ("One", "Two", "Three"):
        await engine.run(Asked(tenant_id=tenant.id, command=named(name)))
        await engine.run(Asked(tenant_id=stranger.id, command=named(name)))
    await publish(database, tenant, 3)
    before = await events_of(database, tenant.id)
    await sweep(database, days=31)
    left = await events_of(database, tenant.id)
    assert [event["sequence"] for event in left] == [4, 5, 6]
    assert left == before[3:]
    assert len(await events_of(database, stranger.id)) == 6


async def test_a_sweep_goes_on_in_small_batches_until_nothing_is_left(database, tenant, engine, monkeypatch):
    monkeypatch.setattr(retention, "_BATCH", 2)
    for n in range(5):
        await engine.run(Asked(tenant_id=tenant.id, command=named(f"Name {n}")))
    await publish(database, tenant, 100)
    assert await sweep(database, days=31) == 15
    assert await events_of(database, tenant.id) == []
    assert await sweep(database, days=31) == 0


async def test_the_log_goes_on_counting_after_its_beginning_was_removed(database, tenant, engine):
    await engine.run(Asked(tenant_id=tenant.id, command=named("One")))
    await publish(database, tenant, 100)
    await sweep(database, days=31)
    await engine.run(Asked(tenant_id=tenant.id, command=named("Two")))
    events = await events_of(database, tenant.id)
    assert [(event["sequence"], event["previous"]) for event in events] == [(3, 1), (4, 2)]
