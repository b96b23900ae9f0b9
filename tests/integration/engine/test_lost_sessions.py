"""A worker that has only lost its session is not dead: what was counted against what it ran, it takes back."""

import asyncio

import pytest

from infra.postgres.passes import Owed
from infra.postgres.statements import compile_block
from infra.postgres.workers import reap_workers, register_worker, take_suspects_turn
from tests.integration.engine.test_deaths import ROWS, die, fans_out, queued, reaped, rows_of
from tests.support.bad_handlers import named
from tests.support.engine import Asked, Engine, accept, add_tenant, operations
from tests.support.waiting import found
from workers import chunks, dead, delivery, liveness, passes
from workers.liveness import Liveness
from workers.pulse import Pulse

SESSIONS = compile_block("sessions", "SELECT * FROM worker_session ORDER BY worker_id")
LATER = compile_block("later", "UPDATE worker_session SET died_at = died_at - interval '61 seconds'")
AHEAD = compile_block("ahead", "UPDATE worker_session SET died_at = died_at + interval '1 hour'")
LEFT_BY_AN_OLD_VERSION = compile_block(
    "left", "INSERT INTO worker_session (worker_id, process) VALUES (1000000, gen_random_uuid())"
)
CANCEL = compile_block("cancel", "UPDATE operation SET cancel_requested_at = now() WHERE id = :id")
CUT = compile_block(
    "cut",
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND classid = 5391 AND objid = CAST(:worker_id AS bigint)"
    " AND datname = current_database()",
)
NONE_LIVES = compile_block(
    "none_lives",
    "SELECT true AS it WHERE NOT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND classid = 5391 AND datname = current_database())",
)
IS_GONE = compile_block(
    "is_gone",
    "SELECT true AS it WHERE NOT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND classid = 5391 AND objid = CAST(:worker_id AS bigint)"
    " AND datname = current_database())",
)
CRASH = compile_block("crash", "TRUNCATE worker_session")
"""What a crash of the server does (held by tests/faults/test_servers_fail.py)."""


class Away(Pulse):
    """A worker that was away from its loop for so long."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    @property
    def longest_absence(self):
        return self.seconds


@pytest.fixture
async def new_worker(database):
    """Start a worker's liveness that names these operations; it never was away for long, unless told so."""
    living = []

    async def start(*open_operations, away=0.0):
        worker = Liveness(database=database, name="a worker", version="test", pulse=Away(away))
        living.append(worker)
        await worker.name(open_operations)
        return worker

    yield start
    for worker in living:
        await worker.leave()


@pytest.fixture
def patient(monkeypatch):
    """However slow the machine is, whoever lives may still say so."""
    monkeypatch.setattr(dead, "_OBJECTION_SECONDS", 3_600.0)


async def deaths_of(database, ids):
    return [(row["attempts"], row["deaths_alone"]) for row in await rows_of(database, ids)]


async def counted(database):
    """One look at the dead."""
    async with database.transaction() as tx:
        return await reap_workers(tx, 0)


async def cut(worker, database):
    """The server's side of a cut network: the session ends, the process knows nothing of it yet."""
    await database.fetch(CUT, worker_id=worker.worker_id)


async def test_a_death_that_was_counted_is_taken_back(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two")
    alone = await new_worker(held[0])
    die(alone)
    await reaped(database, operations_held=1)
    beside = await new_worker(*held)
    die(beside)
    await reaped(database, operations_held=2)
    assert await deaths_of(database, ids) == [(2, 1), (1, 0)]
    await alone.name([])
    assert await deaths_of(database, ids) == [(1, 0), (1, 0)]
    await beside.name([])
    assert await deaths_of(database, ids) == [(0, 0), (0, 0)]


async def test_a_session_that_nobody_has_missed_yet_is_never_counted(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    die(worker)
    await worker.name([])
    assert [row["id"] for row in await database.fetch(ROWS)] == [worker.worker_id]
    assert (await counted(database)).workers == 0
    assert await deaths_of(database, ids) == [(0, 0)]


async def test_sessions_that_are_cut_again_and_again_do_not_fail_what_is_run(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    for _ in range(5):
        die(worker)
        await reaped(database, operations_held=1)
        await worker.name(held)
    await worker.clear()
    await Engine(database, inflight=worker).drain(tenant.id)
    [view] = await operations(database, tenant.id, ids)
    assert (view.status.value, view.attempts) == ("succeeded", 0)


@pytest.mark.parametrize("is_counted", [True, False])
async def test_what_runs_on_is_named_by_the_new_session_too(database, tenant, new_worker, is_counted):
    """Else what loses the session of its worker, and then kills it, would never be found."""
    number = (await fans_out(database, tenant))[1]
    ids, held = await queued(database, tenant, "One")
    for deaths in (1, 2, 3):
        worker = await new_worker(*held)
        await worker.name_chunk(tenant.id, number, counted=0)
        die(worker)
        if is_counted:
            await reaped(database, operations_held=2)
        await running_again(worker)
        assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[*ids, number]]
        worker._session.terminate()
        await reaped(database, operations_held=2)
        assert await deaths_of(database, [*ids, number]) == [(deaths, 0)] * 2
        worker._session, worker.worker_id = None, 0


async def running_again(worker):
    async with worker._lock:
        await worker._registered()


@pytest.mark.parametrize("end", ["committed", "given up"])
async def test_what_has_ended_is_not_named_by_the_new_session(database, tenant, new_worker, end):
    number = (await fans_out(database, tenant))[1]
    _, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    await worker.name_chunk(tenant.id, number, counted=0)
    if end == "committed":
        worker.end_pass()
        worker.end_chunk()
    die(worker)
    if end == "given up":
        await worker.clear()
        await worker.clear_chunk()
    await running_again(worker)
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_a_chunk_whose_commit_fails_is_named_no_more(database, tenant, new_worker):
    number = (await fans_out(database, tenant))[1]
    worker = await new_worker()
    await worker.name_chunk(tenant.id, number, counted=0)
    worker.end_chunk()
    await worker.clear_chunk()
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_only_a_workers_own_deaths_are_taken_back(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    for _ in range(2):
        lost = await new_worker(*held)
        die(lost)
        await reaped(database, operations_held=1)
    await lost.name(held)
    assert await deaths_of(database, ids) == [(1, 1)]


async def test_a_registration_that_nobody_heard_of_is_no_death(database, tenant, new_worker, monkeypatch):
    """The first answer of a new session is as easily lost as any other."""
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    die(worker)
    with monkeypatch.context() as unheard:
        unheard.setattr(liveness, "register_worker", lost_answer)
        for deaths in (1, 2, 3):
            with pytest.raises(ConnectionResetError):
                await running_again(worker)
            await reaped(database, operations_held=1)
            assert await deaths_of(database, ids) == [(deaths, deaths)]
    await worker.name(held)
    assert await deaths_of(database, ids) == [(0, 0)]
    assert not await worker.is_careful()


async def lost_answer(session, **registration):
    await register_worker(session, **registration)
    raise ConnectionResetError


async def test_a_registration_that_is_cancelled_is_no_session(database, tenant, new_worker, monkeypatch):
    """A worker is asked to stop while it registers anew."""
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    die(worker)
    await reaped(database, operations_held=1)

    async def cancelled(*_args, **_options):
        raise asyncio.CancelledError

    with monkeypatch.context() as stopping:
        stopping.setattr(liveness, "take_back", cancelled)
        with pytest.raises(asyncio.CancelledError):
            await running_again(worker)
    await worker.leave()
    assert await deaths_of(database, ids) == [(0, 0)]
    assert await database.fetch(ROWS) == []


async def test_what_ends_while_a_new_session_is_registered_is_not_named_by_it(
    database, tenant, new_worker, monkeypatch
):
    _, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    die(worker)

    async def overtaken(session, **registration):
        worker.end_pass()
        return await register_worker(session, **registration)

    monkeypatch.setattr(liveness, "register_worker", overtaken)
    await running_again(worker)
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_two_deaths_that_are_found_at_once_are_two(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    for worker in [await new_worker(*held), await new_worker(*held)]:
        die(worker)
    await found(lambda: database.fetch(NONE_LIVES))
    assert (await counted(database)).workers == 2
    assert await deaths_of(database, ids) == [(2, 2)]


async def test_a_death_of_a_worker_that_was_away_from_its_loop_stays(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held, away=1.01)
    die(worker)
    await reaped(database, operations_held=1)
    await running_again(worker)
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]
    await worker.name(held)
    assert await deaths_of(database, ids) == [(1, 1)]
    die(worker)
    await worker.name([])
    await reaped(database, operations_held=1)
    assert await deaths_of(database, ids) == [(2, 2)]


async def test_after_a_crash_of_the_server_nothing_is_taken_back(database, tenant, new_worker):
    """Else an operation that crashes the server would do so for ever."""
    ids, held = await queued(database, tenant, "One")
    counted_already, not_yet = await new_worker(*held), await new_worker(*held)
    die(counted_already)
    await reaped(database, operations_held=1)
    die(not_yet)
    async with database.transaction() as tx:
        await tx.execute(CRASH)
    await counted_already.name([])
    await not_yet.name([])
    await reaped(database, operations_held=1)
    assert await deaths_of(database, ids) == [(2, 2)]


@pytest.mark.parametrize("of_chunk", [False, True], ids=["a pass", "a chunk"])
async def test_after_a_crash_what_is_suspected_runs_with_no_other_suspect_and_is_not_named_before(
    database, tenant, new_worker, of_chunk
):
    """Else the next crash would be held against all that is in hand."""
    number = (await fans_out(database, tenant))[1]
    ids, held = ([number], []) if of_chunk else await queued(database, tenant, "One")
    worker = await new_worker(*held)
    if of_chunk:
        await worker.name_chunk(tenant.id, number, counted=0)
    async with database.transaction() as tx:
        await tx.execute(CRASH)
    die(worker)
    await worker.clear()  # its transaction has ended with the server
    await worker.clear_chunk()
    await reaped(database, operations_held=1)
    engine = Engine(database, rows=2, inflight=worker)
    engine.lane.add(tenant.id)
    engine.ready.add(tenant.id)
    async with database.transaction() as other:
        assert await take_suspects_turn(other)
        await engine.drain()
        assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]
        assert (await operations(database, tenant.id, ids))[0].done == (2 if of_chunk else 0)
    await engine.drain(tenant.id)
    assert (await operations(database, tenant.id, ids))[0].status.value == "succeeded"


@pytest.mark.parametrize("away", [0.0, 1.01], ids=["it was there", "it was away"])
@pytest.mark.parametrize("is_crash", [True, False], ids=["a crash", "a cut"])
async def test_a_worker_is_careful_after_a_crash_and_not_after_a_cut(database, new_worker, is_crash, away):
    worker = await new_worker(away=away)
    die(worker)
    await reaped(database, operations_held=0)
    if is_crash:
        async with database.transaction() as tx:
            await tx.execute(CRASH)
    assert await worker.is_careful() is is_crash


async def test_a_worker_whose_first_registration_after_a_crash_was_not_heard_of_is_careful(
    database, new_worker, monkeypatch
):
    worker = await new_worker()
    die(worker)
    async with database.transaction() as tx:
        await tx.execute(CRASH)
    with monkeypatch.context() as unheard:
        unheard.setattr(liveness, "register_worker", lost_answer)
        with pytest.raises(ConnectionResetError):
            await running_again(worker)
    assert await worker.is_careful()


@pytest.mark.parametrize("away", [0.0, 1.01], ids=["it was there", "it was away"])
async def test_a_registration_that_never_came_through_is_no_crash(database, new_worker, monkeypatch, away):
    worker = await new_worker(away=away)
    die(worker)

    async def broken(*_args, **_named):
        raise ConnectionResetError

    with monkeypatch.context() as cut_off:
        cut_off.setattr(liveness, "register_worker", broken)
        with pytest.raises(ConnectionResetError):
            await running_again(worker)
    assert not await worker.is_careful()


async def test_a_careful_worker_has_named_a_chunk_before_it_looks_whom_it_comes_to(
    database, tenant, new_worker, monkeypatch
):
    """To look may be what crashes the server."""
    number = (await fans_out(database, tenant))[1]
    worker, steps = await new_worker(), []
    name_chunk, next_people = worker.name_chunk, chunks.next_people

    async def named(*args, **options):
        is_left_behind = await name_chunk(*args, **options)
        steps.append("named")
        return is_left_behind

    async def looked(*args):
        steps.append("looked")
        return await next_people(*args)

    monkeypatch.setattr(worker, "name_chunk", named)
    monkeypatch.setattr(chunks, "next_people", looked)
    die(worker)
    async with database.transaction() as tx:
        await tx.execute(CRASH)
    engine = Engine(database, rows=2, inflight=worker)
    engine.lane.add(tenant.id)
    await engine.drain(tenant.id)
    assert steps[:4] == ["named", "looked"] * 2
    assert (await operations(database, tenant.id, [number]))[0].status.value == "succeeded"


async def test_without_a_crash_nobody_waits_for_suspects(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker, dead_one = await new_worker(), await new_worker(*held)
    die(dead_one)
    await reaped(database, operations_held=1)
    async with database.transaction() as other:
        assert await take_suspects_turn(other)
        await Engine(database, inflight=worker).drain(tenant.id)
    [view] = await operations(database, tenant.id, ids)
    assert (view.status.value, view.attempts) == ("succeeded", 1)


async def test_a_worker_that_lost_its_session_and_is_asked_to_stop_takes_its_death_back(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    worker = await new_worker(*held)
    die(worker)
    await reaped(database, operations_held=1)
    await worker.leave()
    assert await deaths_of(database, ids) == [(0, 0)]
    assert await database.fetch(ROWS) == []


async def test_a_pass_that_holds_the_row_of_what_is_taken_back_does_not_wait_for_itself(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One", "Two")
    worker = await new_worker(held[0])
    die(worker)
    await reaped(database, operations_held=1)
    async with database.transaction() as tx:
        await tx.execute(CANCEL, id=ids[0])
    engine = Engine(database, inflight=worker)
    engine.ready.add(tenant.id)
    await engine.turn()
    statuses = [view.status.value for view in await operations(database, tenant.id, ids)]
    assert statuses == ["cancelled", "succeeded"]


@pytest.fixture
async def doomed(database, tenant, new_worker):
    """An operation over which three workers were taken for dead; they live."""
    ids, held = await queued(database, tenant, "One", "Two")
    workers = []
    for _ in range(3):
        workers.append(await new_worker(held[0]))
        die(workers[-1])
        await reaped(database, operations_held=1)
    return ids, workers


async def test_a_verdict_waits_for_workers_that_may_live(database, tenant, doomed, patient):
    ids, workers = doomed
    engine = Engine(database)
    await engine.drain(tenant.id)
    assert engine.witness.named == []
    assert [view.status.value for view in await operations(database, tenant.id, ids)] == ["queued", "queued"]
    await workers[1].name([])
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [(view.status.value, view.attempts) for view in views] == [("succeeded", 2), ("succeeded", 0)]


@pytest.mark.usefixtures("patient")
async def test_a_verdict_does_not_wait_for_a_clock_that_went_back(database, tenant, doomed):
    ids, _ = doomed
    async with database.transaction() as tx:
        await tx.execute(AHEAD)
    await Engine(database).drain(tenant.id)
    statuses = [view.status.value for view in await operations(database, tenant.id, ids)]
    assert statuses == ["failed", "succeeded"]
    await counted(database)
    assert await database.fetch(SESSIONS) == []


async def test_a_verdict_is_not_given_on_deaths_that_were_taken_back_meanwhile(database, tenant, doomed, monkeypatch):
    ids, workers = doomed
    read_open = passes.read_open

    async def overtaken(*args, **options):
        found = await read_open(*args, **options)
        await workers[0].name([])
        return found

    monkeypatch.setattr(dead, "_OBJECTION_SECONDS", 0.0)
    monkeypatch.setattr(passes, "read_open", overtaken)
    engine = Engine(database)
    engine.ready.add(tenant.id)
    await engine.turn()
    assert [view.status.value for view in await operations(database, tenant.id, ids)] == ["queued", "queued"]
    await engine.drain(tenant.id)
    assert [view.status.value for view in await operations(database, tenant.id, ids)] == ["succeeded", "succeeded"]


@pytest.mark.usefixtures("doomed", "patient")
async def test_a_verdict_keeps_nobody_else_from_being_looked_at_again(database, tenant, stranger, monkeypatch):
    """Somebody's claim may have been dropped because this pass held them."""
    engine, asked = Engine(database), []

    async def still_open(_database, held):
        asked.append(list(held))
        return Owed(queued=frozenset(), running=frozenset())

    monkeypatch.setattr(delivery, "still_open", still_open)
    engine.ready.add(tenant.id)
    engine.ready.add(stranger.id)
    await engine.turn()
    assert asked == [[stranger.id]]


@pytest.mark.usefixtures("patient")
async def test_two_verdicts_of_one_tenant_do_not_wake_each_other(database, new_worker):
    """One over its chunks, the other over what is queued."""
    tenant = await add_tenant(database)
    engine, number = await fans_out(database, tenant)
    ids, held = await queued(database, tenant, "One")
    for _ in range(3):
        for of_chunk in (True, False):
            worker = await new_worker(*(() if of_chunk else held))
            if of_chunk:
                await worker.name_chunk(tenant.id, number, counted=0)
            die(worker)
            await reaped(database, operations_held=1)
    engine.lane.add(tenant.id)
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, [number, *ids])
    assert [view.status.value for view in views] == ["running", "queued"]


async def test_what_is_not_tried_after_all_is_not_named(database, tenant, new_worker, patient):
    """A pass names, finds that somebody has died over it, counts that, and is told to wait."""
    ids, held = await queued(database, tenant, "One")
    for _ in range(2):
        died = await new_worker(*held)
        die(died)
        await reaped(database, operations_held=1)
    died = await new_worker(*held)
    living = await new_worker()
    die(died)
    await found(lambda: database.fetch(IS_GONE, worker_id=died.worker_id))
    await Engine(database, inflight=living).drain(tenant.id)
    assert await deaths_of(database, ids) == [(3, 3)]
    assert [row["operation_ids"] for row in await database.fetch(ROWS)] == [[]]


async def test_a_chunk_of_a_suspect_is_not_tried_before_its_last_death_is_counted(
    database, tenant, new_worker, monkeypatch
):
    """Else a fourth worker would try what has killed three."""
    number = (await fans_out(database, tenant))[1]
    continue_one, tried = chunks.continue_one, []

    async def continued(tx, log, of, *args, **options):
        tried.append((of.attempts, of.deaths_alone))
        return await continue_one(tx, log, of, *args, **options)

    monkeypatch.setattr(chunks, "continue_one", continued)
    first, second, living = [await new_worker() for _ in range(3)]
    for worker in (first, second):
        await worker.name_chunk(tenant.id, number, counted=0)
    die(first)
    await reaped(database, operations_held=1)
    die(second)
    await found(lambda: database.fetch(IS_GONE, worker_id=second.worker_id))
    engine = Engine(database, rows=2, inflight=living)
    engine.lane.add(tenant.id)
    await engine.chunk()
    assert tried == [(2, 2)]


async def test_a_verdict_over_chunks_waits_as_well(database, new_worker, patient):
    tenant = await add_tenant(database)
    engine, number = await fans_out(database, tenant)
    for _ in range(3):
        worker = await new_worker()
        await worker.name_chunk(tenant.id, number, counted=0)
        die(worker)
        await reaped(database, operations_held=1)
    [queued_behind] = await accept(database, [Asked(tenant_id=tenant.id, command=named("Another"))])
    engine.lane.add(tenant.id)
    await engine.chunk()
    assert len(engine.ready)  # somebody's claim may have been dropped because this chunk held the tenant
    await engine.drain()
    running, behind = await operations(database, tenant.id, [number, queued_behind])
    assert (running.status.value, behind.status.value) == ("running", "succeeded")
    await worker.name([])
    await engine.drain(tenant.id)
    assert (await operations(database, tenant.id, [number]))[0].status.value == "succeeded"


async def test_what_is_known_of_sessions_goes_when_nobody_can_ask_for_it_any_more(database, tenant, new_worker):
    ids, held = await queued(database, tenant, "One")
    held_one, idle, living = await new_worker(held[0]), await new_worker(), await new_worker()
    for worker in (held_one, idle):
        die(worker)
        await reaped(database, operations_held=1 if worker is held_one else 0)
    known = {row["worker_id"]: row["operation_ids"] for row in await database.fetch(SESSIONS)}
    assert known == {held_one.worker_id: ids, idle.worker_id: [], living.worker_id: []}
    async with database.transaction() as tx:
        await tx.execute(LATER)
        await tx.execute(LEFT_BY_AN_OLD_VERSION)
    await counted(database)
    assert [row["worker_id"] for row in await database.fetch(SESSIONS)] == [living.worker_id]
    await living.leave()
    assert await database.fetch(SESSIONS) == []


async def test_a_running_worker_takes_it_back_by_itself_and_at_once(database, tenant):
    """With a pulse that beats, and pings that say that it was not away."""
    ids, held = await queued(database, tenant, "One")
    pulse = Watched()
    worker = Liveness(database=database, name="a worker", version="test", pulse=pulse)
    running = asyncio.create_task(worker.run())
    await found(pulse.has_begun_by_a_ping)
    await worker.name(held)
    async with worker._lock:  # it must not be quicker than whoever counts
        await cut(worker, database)
        await reaped(database, operations_held=1)
        assert await deaths_of(database, ids) == [(1, 1)]
    await found(lambda: taken_back(database, ids))
    assert pulse.beats
    running.cancel()
    await asyncio.wait([running])
    await worker.leave()


async def taken_back(database, ids):
    return await deaths_of(database, ids) == [(0, 0)]


class Watched(Away):
    """Was never away; counts what it is told."""

    def __init__(self):
        super().__init__(0.0)
        self.beats = self.begun = 0

    def beat(self):
        self.beats += 1

    def begin(self):
        self.begun += 1

    async def has_begun_by_a_ping(self):
        return self.begun > 1
