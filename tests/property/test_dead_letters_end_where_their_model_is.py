"""Random interleavings of accept, fail, redrive, discard and cancel, in any split and by two workers.

An operation fails at its first so many places in the log, wherever these are. What must have become of it then follows
from the order of the log alone.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import Kind
from domain.dead_letters import DiscardDeadLetters
from infra.postgres.verify import VerifiedTenant
from tests.property.commands import bounded
from tests.support.bad_handlers import ByDesignError, named
from tests.support.dead import discarding, errors_of, log_of, redriving, request_cancellation
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, open_operations, operations, state_of
from tests.support.oracle import assert_sound
from workers.chunk_sizes import ChunkSizes
from workers.handlers import HANDLERS, handlers_with
from workers.recount import recount
from workers.waves import Budget

NUMBERS = st.integers(0, 50)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.sampled_from((0, 0, 1, 1, 2))),
        st.tuples(st.sampled_from(("redrive", "redrive one", "discard", "discard one", "cancel")), NUMBERS),
        st.tuples(st.sampled_from(("turn", "chunk", "both", "race")), NUMBERS),
    ),
    min_size=6,
    max_size=40,
)
BUDGETS = st.builds(Budget, operations=st.integers(1, 6), items=st.integers(1, 6), bytes=st.just(1_000_000))


class Moody:
    """Handlers under which each operation fails at its first so many places in the log."""

    def __init__(self, rows):
        self.failures, self.places = {}, defaultdict(list)
        self.handlers = {**handlers_with(ChunkSizes(rows=rows)), Kind.PUT_GROUPS: self._put_groups}

    async def _put_groups(self, tx, orders, at):
        for order in orders:
            places = self.places[order.operation_id]
            if order.seq not in places:
                places.append(order.seq)
            if len(places) <= self.failures[order.operation_id]:
                raise ByDesignError
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)


@dataclass
class Run:
    """One tenant, two workers, and what was asked of them."""

    tenant: object
    engines: list
    moody: Moody
    puts: list = field(default_factory=list)
    dealt: list = field(default_factory=list)
    cancelled: set = field(default_factory=set)
    raced: set = field(default_factory=set)

    async def step(self, action, number):
        database = self.engines[0].database
        if action == "accept":
            await self._accept(number)
        elif action == "turn":
            await self.engines[number % 2].turn()
        elif action == "chunk":
            await self.engines[number % 2].chunk()
        elif action == "both":
            await asyncio.gather(*(engine.turn() for engine in self.engines))
        elif action == "cancel" and self.puts:
            wanted = self.puts[number % len(self.puts)]
            self.cancelled |= set(await request_cancellation(database, self.tenant, wanted))
        elif action == "race" and self.puts:
            wanted = self.puts[number % len(self.puts)]
            turns = [engine.turn() for engine in self.engines]
            marked, *_ = await asyncio.gather(request_cancellation(database, self.tenant, wanted), *turns)
            self.raced |= set(marked)
        elif action in {"redrive", "discard"}:
            await self._deal(redriving() if action == "redrive" else discarding())
        elif self.puts:
            one = self.puts[number % len(self.puts)]
            await self._deal(redriving(one) if action == "redrive one" else discarding(one))

    async def drain(self):
        await asyncio.gather(*(engine.drain(self.tenant.id) for engine in self.engines))

    async def _accept(self, failures):
        command = named(f"Name {len(self.puts)}")
        [number] = await accept(self.engines[0].database, [Asked(tenant_id=self.tenant.id, command=command)])
        self.moody.failures[number] = failures
        self.puts.append(number)
        self._wake()

    async def _deal(self, command):
        [number] = await accept(self.engines[0].database, [Asked(tenant_id=self.tenant.id, command=command)])
        self.dealt.append((number, command))
        self._wake()

    def _wake(self):
        for engine in self.engines:
            engine.ready.add(self.tenant.id)


async def run_of(database, steps, *, rows, budget):
    moody = Moody(rows)
    tenant = await add_tenant(database)
    engines = [Engine(database, handlers=moody.handlers, rows=rows, budget=budget) for _ in range(2)]
    run = Run(tenant, engines, moody)
    for action, number in steps:
        await run.step(action, number)
    await run.drain()
    assert await open_operations(database) == 0
    return run


@bounded(60)
@given(steps=STEPS, budget=BUDGETS)
async def test_what_becomes_of_every_operation_follows_from_the_order_of_the_log(database, steps, budget):
    run = await run_of(database, steps, rows=1_000, budget=budget)
    rows = {row["id"]: row for row in await log_of(database, run.tenant)}
    expected = await modelled(database, run, rows)
    assert {number: standing(rows[number]) for number in run.puts} == expected
    await assert_sound_run(database, run, rows)


@bounded(40)
@given(steps=STEPS, budget=BUDGETS, rows=st.integers(1, 3))
async def test_in_steps_of_any_size_nothing_is_lost_counted_wrongly_or_done_twice(database, steps, budget, rows):
    run = await run_of(database, steps, rows=rows, budget=budget)
    log = {row["id"]: row for row in await log_of(database, run.tenant)}
    await assert_sound_run(database, run, log)


def standing(row):
    return "discarded" if row["discarded_at"] else row["status"]


async def modelled(database, run, rows):
    """What the log says must have become of the operations, a place after the other."""
    views = await operations(database, run.tenant.id, [number for number, _ in run.dealt])
    commands = {view.id: (view, command) for view, (_, command) in zip(views, run.dealt, strict=True)}
    places = [(seq, number) for number, seqs in run.moody.places.items() for seq in seqs]
    places += [(view.seq, view.id) for view in views]
    stands, failed, tried = dict.fromkeys(run.puts, "queued"), {}, defaultdict(int)
    for seq, number in sorted(places):
        if number in commands:
            view, command = commands[number]
            meant = [one for one in failed if failed[one] < seq and (command.ids is None or one in command.ids)]
            assert view.response["items"][0]["count"] == len(meant)
            for one in meant:
                del failed[one]
                stands[one] = "discarded" if isinstance(command, DiscardDeadLetters) else "queued"
            continue
        assert stands[number] == "queued"
        if rows[number]["status"] == "cancelled" and seq == rows[number]["seq"]:
            continue  # tried in a pass that was taken back, and cancelled before the next
        tried[number] += 1
        stands[number] = "succeeded"
        if tried[number] <= run.moody.failures[number]:
            stands[number], failed[number] = "failed", seq
    marked = run.cancelled | run.raced
    return {number: "cancelled" if how == "queued" and number in marked else how for number, how in stands.items()}


async def assert_sound_run(database, run, rows):
    """What holds however the work was split: counts, events, the state, and what was taken back for certain."""
    dead = [number for number in run.puts if standing(rows[number]) == "failed"]
    assert sum(error["count"] for error in await errors_of(database, run.tenant)) == len(dead)
    events = await events_of(database, run.tenant.id)
    finished = defaultdict(list)
    for event in events:
        if event["type"] == "operation.finished":
            finished[event["operation"]].append(event["data"]["operation"]["status"])
    for number in run.puts:
        told = finished[str(number)]
        assert told[-1] == rows[number]["status"]
        assert set(told[:-1]) <= {"failed"}
        assert told.count("failed") <= run.moody.failures[number]
        assert rows[number]["status"] != "cancelled" or number in run.cancelled | run.raced
    succeeded = [place for place, number in enumerate(run.puts) if rows[number]["status"] == "succeeded"]
    state = await state_of(database, run.tenant.id)
    if succeeded:
        newest = max(succeeded, key=lambda place: rows[run.puts[place]]["seq"])
        assert state["groups"]["g"]["name"] == f"Name {newest}"
    else:
        assert state["groups"] == {}
    assert_sound(state, events)
    report = await recount(database, VerifiedTenant(id=run.tenant.id, key=run.tenant.key))
    assert report.findings == []
