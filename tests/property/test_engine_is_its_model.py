"""Random commands through real passes on a real database: the engine does what the model says, however it is split.

Days pass between them, and licences start and expire: dates fire as operations, which take their places in the log.
"""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from tests.property.commands import DIRECTORY_KINDS, KINDS, SEEDS, TIMES, bounded, drawn_by, opening
from tests.property.license_commands import TODAY
from tests.support.clock import Clock, in_accept_order, operations_of_dates
from tests.support.engine import Asked, Engine, accept, add_tenant, open_operations
from tests.support.license_state import ids_of
from tests.support.oracle import Oracle
from workers.waves import Budget

# Of each step: its command's seed, its tenant, how many passes follow the batch that it ends, if it ends one, and what
# the clock does before that batch.
STEPS = st.lists(
    st.tuples(SEEDS, st.sampled_from((0, 0, 0, 1, 2)), st.sampled_from((None, None, None, 0, 1, 2)), TIMES),
    min_size=6,
    max_size=50,
)
OF_KINDS = st.sampled_from((KINDS, KINDS, KINDS, DIRECTORY_KINDS))
BUDGETS = st.builds(
    Budget, operations=st.integers(1, 8), items=st.integers(1, 30), bytes=st.sampled_from((300, 2_000, 1_000_000))
)


@bounded(60)
@given(kinds=OF_KINDS, steps=st.lists(st.tuples(SEEDS, TIMES), min_size=6, max_size=20))
async def test_after_every_single_command_the_engine_is_what_the_model_says(database, kinds, steps):
    run = await _Run.begin(database, kinds, Engine(database), tenants=1)
    await run.assert_agrees()
    commands = drawn_by((seed for seed, _ in steps), kinds)
    for (_, time), (draft, dry_run) in zip(steps, commands, strict=True):
        await run.pass_time(time)
        await run.assert_agrees()
        await run.accept([(0, draft, dry_run)], run.engines[0])
        await run.assert_agrees()
    await run.end()


@bounded(100)
@given(kinds=OF_KINDS, budget=BUDGETS, share=st.integers(1, 12), steps=STEPS)
async def test_any_split_into_passes_and_waves_is_as_one_by_one(database, kinds, budget, share, steps):
    run = await _Run.begin(database, kinds, Engine(database, budget=budget, share=share), tenants=3)
    for batch, turns, time in _batches(steps, kinds):
        await run.pass_time(time)
        await run.accept(batch, run.engines[0])
        for _ in range(turns):
            await run.engines[0].turn()
    await run.end()


@bounded(40)
@given(kinds=OF_KINDS, steps=STEPS)
async def test_two_workers_at_once_do_what_one_would(database, kinds, steps):
    run = await _Run.begin(database, kinds, Engine(database), Engine(database), tenants=3)
    for place, (batch, turns, time) in enumerate(_batches(steps, kinds)):
        await run.pass_time(time)
        await run.accept(batch, run.engines[place % 2])
        for _ in range(turns):
            await asyncio.gather(*(engine.turn() for engine in run.engines))
    await run.end()


def _batches(steps, kinds):
    """What is accepted together, how many passes follow, and what the clock does before."""
    batch = []
    commands = drawn_by((seed for seed, *_ in steps), kinds)
    for (_, tenant, turns, time), (draft, dry_run) in zip(steps, commands, strict=True):
        batch.append((tenant, draft, dry_run))
        if turns is not None:
            yield batch, turns, time
            batch = []
    if batch:
        yield batch, 0, (0, False)


class _Run:
    """Some tenants, and what was asked of each; dates ask for themselves."""

    def __init__(self, database, tenants, engines):
        self.database, self.tenants, self.engines = database, tenants, engines
        self.clock = Clock(database)
        self.oracles = {tenant.id: Oracle(database, tenant.id) for tenant in tenants}
        self.asked, self.held = {}, defaultdict(list)

    @classmethod
    async def begin(cls, database, kinds, *engines, tenants):
        run = cls(database, [await add_tenant(database) for _ in range(tenants)], engines)
        await run.clock.begin()
        await run.accept(
            [(place, draft, dry_run) for place in range(tenants) for draft, dry_run in opening(kinds)], engines[0]
        )
        await engines[0].drain()  # so that what is asked next can name what there is by its numbers
        return run

    async def accept(self, batch, engine):
        today = {TODAY: self.clock.day}
        ids = [await ids_of(self.database, tenant.id) | today for tenant in self.tenants]
        asked = [Asked(tenant_id=self.tenants[t].id, command=draft(ids[t]), dry_run=dry) for t, draft, dry in batch]
        self.asked |= zip(await accept(self.database, asked), asked, strict=True)
        for one in asked:
            engine.ready.add(one.tenant_id)

    async def pass_time(self, time):
        days, looks = time
        if days:
            await self.clock.pass_days(days)
        if looks:
            await self.look()

    async def look(self):
        """As the poll does: what has come is accepted, and its tenants are ready."""
        fired = await self.clock.look()
        for tenant in self.tenants if fired else ():
            self.asked |= await operations_of_dates(self.database, tenant.id, known=self.asked)
            self.engines[0].ready.add(tenant.id)
        return fired

    async def assert_agrees(self):
        """Everything that was asked is done; what has been added since the last time is as the model says."""
        await asyncio.gather(*(engine.drain() for engine in self.engines))
        assert await open_operations(self.database) == 0
        for tenant_id, oracle in self.oracles.items():
            ids = (await in_accept_order(self.database, tenant_id))[len(self.held[tenant_id]) :]
            await oracle.assert_agrees([self.asked[number] for number in ids], ids)
            self.held[tenant_id] += ids

    async def end(self):
        """Whatever has come fires in the end."""
        await self.assert_agrees()
        while await self.look():
            await self.assert_agrees()
        for oracle in self.oracles.values():
            await oracle.assert_dates_are_kept()
