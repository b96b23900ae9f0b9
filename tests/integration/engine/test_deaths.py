"""What kills workers is found by counting: the dead are reaped, what they named is suspected, the third death fails."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands import Kind
from infra.postgres.operations import new_operation_id
from infra.postgres.statements import compile_block
from infra.postgres.workers import reap_workers
from tests.support.bad_handlers import named
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, operations, state_of
from tests.support.oracle import assert_sound
from tests.support.running import apply, assert_running_sound, begin, giving
from tests.support.seats import groups, join, people, pools_of, program, put
from tests.support.waiting import found
from workers.handlers import HANDLERS
from workers.liveness import Liveness
from workers.poll import Poll
from workers.ready import ReadySet

LONG_AGO = compile_block("long_ago", "UPDATE worker_session SET died_at = died_at - interval '1 minute'")
OPEN = compile_block("open", "SELECT * FROM operation WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY seq")
ROWS = compile_block("rows", "SELECT id, operation_ids, tenant_ids FROM worker ORDER BY id")


@pytest.fixture
async def new_worker(database):
    """Start a worker's liveness: registered, and naming these operations."""
    living = []

    async def start(*open_operations):
        liveness = Liveness(database=database, name="a worker", version="test")
        living.append(liveness)
        await liveness.name(open_operations)
        return liveness

    yield start
    for liveness in living:
        await liveness.leave()


async def rows_of(database, ids):
    return await database.fetch(OPEN, ids=ids)


def die(liveness):
    """As the server sees it when the process is killed: the connection is gone."""
    liveness._forget()


async def reaped(database, *, by=0, operations_held):
    """Reap until somebody is found dead: the server needs a moment to see that a connection is gone."""

    async def look():
        async with database.transaction() as tx:
            dead = await reap_workers(tx, by)
        return dead if dead.workers else None

    dead = await found(look)
    assert dead.operations == operations_held


async def let_time_pass(database):
    """Whoever lives would have said so by now."""
    async with database.transaction() as tx:
        await tx.execute(LONG_AGO)


async def queued(database, tenant, *names):
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=named(name)) for name in names])
    return ids, [_Open(tenant.id, number) for number in ids]


@dataclass(frozen=True)
class _Open:
    tenant_id: int
    id: UUID
    attempts: int = 0
    deaths_alone: int = 0


async def test_a_dead_workers_row_goes_and_what_it_named_has_one_attempt_more(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two", "Three")
    die(await new_worker(*held[:2]))
    await reaped(database, operations_held=2)
    assert [(row["attempts"], row["deaths_alone"]) for row in await rows_of(database, ids)] == [(1, 0), (1, 0), (0, 0)]
    assert await database.fetch(ROWS) == []


async def test_a_death_over_a_single_operation_is_a_death_alone(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    die(await new_worker(*held))
    await reaped(database, operations_held=1)
    [row] = await rows_of(database, ids)
    assert (row["attempts"], row["deaths_alone"]) == (1, 1)


async def test_a_death_is_not_held_against_what_was_finished(database, tenant, new_worker, engine):
    ids, held = await queued(database, tenant, "One", "Two")
    worker = await new_worker(*held)
    await engine.drain(tenant.id)
    die(worker)
    await reaped(database, operations_held=0)
    assert [row["attempts"] for row in await rows_of(database, ids)] == [0, 0]


async def test_a_living_worker_is_never_reaped(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    living, dead = await new_worker(*held), await new_worker()
    die(dead)
    await reaped(database, operations_held=0)
    async with database.transaction() as tx:
        assert (await reap_workers(tx, 0)).workers == 0
    [row] = await database.fetch(ROWS)
    assert (row["id"], row["operation_ids"]) == (living.worker_id, ids)
    assert (await rows_of(database, ids))[0]["attempts"] == 0


async def test_a_worker_that_leaves_in_order_leaves_nothing(database, new_worker):
    worker = await new_worker()
    await worker.leave()
    assert await database.fetch(ROWS) == []


async def test_a_worker_whose_session_was_lost_registers_anew(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker()
    first = worker.worker_id
    die(worker)
    await reaped(database, operations_held=0)
    await worker.name(held)
    assert worker.worker_id != first
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [ids]


async def test_a_worker_whose_row_was_taken_though_it_lives_registers_anew(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker()
    async with database.transaction() as tx:
        await tx.execute(compile_block("take", "DELETE FROM worker"))
    await worker.name(held)
    [row] = await database.fetch(ROWS)
    assert (row["id"], row["operation_ids"]) == (worker.worker_id, ids)


async def test_what_a_pass_runs_is_named_for_all_to_see_while_it_runs_and_not_when_it_has_committed(
    database, tenant, new_worker
):
    seen = []

    async def look(tx, orders, at):
        seen.extend(await database.fetch(ROWS))
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)

    worker = await new_worker()
    engine = Engine(database, handlers={**HANDLERS, Kind.PUT_GROUPS: look}, inflight=worker)
    ids, _ = await queued(database, tenant, "One", "Two")
    await engine.drain(tenant.id)
    assert [(row["tenant_ids"], row["operation_ids"]) for row in seen] == [([tenant.id] * 2, ids)]
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_what_a_dead_worker_named_is_counted_before_it_is_tried_again(database, tenant, new_worker):
    tried = []

    async def watched(tx, orders, at):
        tried.append([order.operation_id for order in orders])
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)

    ids, held = await queued(database, tenant, "One", "Two")
    die(await new_worker(*held))
    engine = Engine(database, handlers={**HANDLERS, Kind.PUT_GROUPS: watched}, inflight=await new_worker())
    await engine.drain(tenant.id)
    assert tried == [[ids[0]], [ids[1]]]
    assert [row["attempts"] for row in await rows_of(database, ids)] == [1, 1]


async def test_a_worker_that_gave_a_pass_up_is_not_held_against_what_it_named(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two")
    living = await new_worker(*held)
    await living.clear()
    engine = Engine(database, inflight=await new_worker())
    await engine.drain(tenant.id)
    assert [row["attempts"] for row in await rows_of(database, ids)] == [0, 0]
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[], []]


async def test_a_living_worker_that_names_what_it_no_longer_runs_holds_nobody_up(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two")
    living = await new_worker(*held)
    engine = Engine(database, inflight=await new_worker())
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [(view.status.value, view.attempts) for view in views] == [("succeeded", 0)] * 2
    assert (await database.fetch(ROWS))[0]["id"] == living.worker_id


async def test_operations_with_attempts_run_alone_and_in_their_place(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two", "Three", "Four", "Five")
    die(await new_worker(held[1], held[3]))
    await reaped(database, operations_held=2)
    other = await add_tenant(database)
    await queued(database, other, "Another")
    engine = Engine(database)
    await engine.drain(tenant.id, other.id)
    assert [ids[1]] in engine.witness.named
    assert [ids[3]] in engine.witness.named
    assert [number for named_ in engine.witness.named for number in named_ if number in ids] == ids
    assert {view.status.value for view in await operations(database, tenant.id, ids)} == {"succeeded"}


async def test_the_third_death_alone_fails_an_operation_without_another_try(database, tenant, new_worker):
    tried = []

    async def watched(tx, orders, at):
        tried.extend(order.operation_id for order in orders)
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)

    ids, held = await queued(database, tenant, "One", "Two", "Three")
    for _ in range(3):
        die(await new_worker(held[1]))
        await reaped(database, operations_held=1)
    await let_time_pass(database)
    engine = Engine(database, handlers={**HANDLERS, Kind.PUT_GROUPS: watched})
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [view.status.value for view in views] == ["succeeded", "failed", "succeeded"]
    assert views[1].error["code"] == "OPERATION_KILLED_WORKER"
    assert tried == [ids[0], ids[2]]
    events = await events_of(database, tenant.id)
    assert_sound(await state_of(database, tenant.id), events)
    finished = [event["data"]["operation"]["status"] for event in events if event["type"] == "operation.finished"]
    assert finished == ["succeeded", "failed", "succeeded"]


async def test_two_deaths_alone_are_not_enough(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    for _ in range(2):
        die(await new_worker(*held))
        await reaped(database, operations_held=1)
    await Engine(database).drain(tenant.id)
    assert (await operations(database, tenant.id, ids))[0].status.value == "succeeded"


async def fans_out(database, tenant):
    """A fan-out that is half done, in an engine whose worker lives."""
    engine, names = Engine(database, rows=2), [f"p{n}" for n in range(7)]
    await apply(engine, tenant, people(*names), groups("g"), put(program("photo")), join("g", *names))
    return engine, (await begin(engine, tenant, await giving(database, tenant, "g", "photo"))).id


async def test_a_death_that_is_counted_between_reading_and_naming_is_heeded(database, tenant, new_worker):
    """Else whoever read before the count would run what has killed three as if it had killed two."""
    _, held = await queued(database, tenant, "One")
    die(await new_worker(*held))
    await reaped(database, operations_held=1)
    latest = await new_worker()
    assert await latest.name(held)
    assert not await latest.name([replace(held[0], attempts=1, deaths_alone=1)])
    assert await latest.name([replace(held[0], attempts=2, deaths_alone=2)])


async def test_a_death_over_a_chunk_that_is_counted_between_reading_and_naming_is_heeded(database, tenant, new_worker):
    _, number = await fans_out(database, tenant)
    worker = await new_worker()
    await worker.name_chunk(tenant.id, number, counted=0)
    die(worker)
    await reaped(database, operations_held=1)
    latest = await new_worker()
    assert await latest.name_chunk(tenant.id, number, counted=0)
    assert not await latest.name_chunk(tenant.id, number, counted=2)


async def test_a_death_over_a_chunk_is_counted_beside_those_of_a_pass_and_forgotten_when_one_goes_well(
    database, tenant, new_worker
):
    engine, number = await fans_out(database, tenant)
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    await worker.name_chunk(tenant.id, number, counted=0)
    die(worker)
    await reaped(database, operations_held=2)
    assert [(row["attempts"], row["deaths_alone"]) for row in await rows_of(database, [number, *ids])] == [(1, 0)] * 2
    alone = await new_worker()
    await alone.name_chunk(tenant.id, number, counted=0)
    die(alone)
    await reaped(database, operations_held=1)
    assert [(row["attempts"], row["deaths_alone"]) for row in await rows_of(database, [number])] == [(2, 1)]
    await engine.chunk()
    assert [(row["attempts"], row["deaths_alone"]) for row in await rows_of(database, [number])] == [(0, 0)]


async def test_what_a_chunk_has_named_stays_named_when_a_pass_ends(database, tenant, new_worker):
    worker = await new_worker()
    number = new_operation_id()
    await worker.name_chunk(tenant.id, number, counted=0)
    await queued(database, tenant, "One")
    await Engine(database, inflight=worker).drain(tenant.id)
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[number]]
    await worker.clear_chunk()
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_the_third_death_alone_over_its_chunks_fails_an_operation_and_gives_back_what_it_held(
    database, new_worker
):
    tenant = await add_tenant(database)  # what was given up is drift, until a repair ends it
    engine, number = await fans_out(database, tenant)
    for _ in range(3):
        worker = await new_worker()
        await worker.name_chunk(tenant.id, number, counted=0)
        die(worker)
        await reaped(database, operations_held=1)
    await let_time_pass(database)
    await engine.drain(tenant.id)
    [view] = await operations(database, tenant.id, [number])
    assert (view.status.value, view.error["code"]) == ("failed", "OPERATION_KILLED_WORKER")
    assert await pools_of(database, tenant) == {"photo": (2, 0, 0)}
    await assert_running_sound(database, tenant, given_up=True)


async def test_the_poll_reaps_the_dead_and_wakes_every_tenant_with_open_work(database, tenant, stranger, new_worker):
    ids, held = await queued(database, tenant, "One")
    other_ids, _ = await queued(database, stranger, "One")
    die(await new_worker(*held))
    watcher, ready = await new_worker(), ReadySet(share=10, tenants=10)
    poll = Poll(
        database=database,
        ready=ready,
        worker_id=lambda: watcher.worker_id,
        broker_reachable=lambda: True,
        interval=timedelta(seconds=1),
        interval_without_broker=timedelta(seconds=1),
    )

    async def look():
        poll._reap_at = 0.0
        await poll.once()
        return len(await database.fetch(ROWS)) == 1

    await found(look)
    assert list((await ready.next()).shares) == [tenant.id, stranger.id]
    assert [row["attempts"] for row in await rows_of(database, ids + other_ids)] == [1, 0]
    assert (await database.fetch(ROWS))[0]["id"] == watcher.worker_id
