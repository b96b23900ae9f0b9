"""Random commands through real passes on a real database: the engine does what the model says, however it is split."""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from tests.property.commands import COMMANDS, DRY_RUNS, OPENING, bounded
from tests.support.engine import Asked, Engine, accept, add_tenant, open_operations
from tests.support.oracle import Oracle
from workers.waves import Budget

TENANTS = st.sampled_from((0, 0, 0, 1, 2))
BUDGETS = st.builds(
    Budget, operations=st.integers(1, 8), items=st.integers(1, 30), bytes=st.sampled_from((300, 2_000, 1_000_000))
)


@bounded(80)
@given(steps=st.lists(st.tuples(COMMANDS, DRY_RUNS), min_size=4, max_size=16))
async def test_after_every_single_command_the_engine_is_what_the_model_says(database, steps):
    tenant = await add_tenant(database)
    engine, oracle = Engine(database), Oracle(database, tenant.id)
    for command, dry_run in [*((command, False) for command in OPENING), *steps]:
        asked = Asked(tenant_id=tenant.id, command=command, dry_run=dry_run)
        [operation] = await engine.run(asked)
        await oracle.assert_agrees([asked], [operation.id])


@bounded(120)
@given(
    budget=BUDGETS,
    share=st.integers(1, 12),
    chunks=st.lists(
        st.tuples(st.lists(st.tuples(TENANTS, COMMANDS, DRY_RUNS), min_size=1, max_size=20), st.integers(0, 3)),
        min_size=1,
        max_size=4,
    ),
)
async def test_any_split_into_passes_and_waves_is_as_one_by_one(database, budget, share, chunks):
    run = await _Run.begin(database, engines=[Engine(database, budget=budget, share=share)])
    for steps, turns in chunks:
        await run.accept(steps)
        for _ in range(turns):
            await run.engines[0].turn()
    await run.assert_agrees()


@bounded(60)
@given(
    chunks=st.lists(st.lists(st.tuples(TENANTS, COMMANDS, DRY_RUNS), min_size=1, max_size=10), min_size=2, max_size=8)
)
async def test_two_workers_at_once_do_what_one_would(database, chunks):
    run = await _Run.begin(database, engines=[Engine(database), Engine(database)])
    for place, steps in enumerate(chunks):
        await run.accept(steps, engine=place % 2)
        await asyncio.gather(*(engine.turn() for engine in run.engines))
    await run.assert_agrees()


class _Run:
    """Three tenants, and what was asked of each in accept order."""

    def __init__(self, database, tenants, engines):
        self.database, self.tenants, self.engines = database, tenants, engines
        self.asked, self.ids = defaultdict(list), defaultdict(list)

    @classmethod
    async def begin(cls, database, *, engines):
        run = cls(database, [await add_tenant(database) for _ in range(3)], engines)
        await run.accept([(place, command, False) for place in range(3) for command in OPENING])
        return run

    async def accept(self, steps, *, engine=0):
        asked = [
            Asked(tenant_id=self.tenants[place].id, command=command, dry_run=dry_run)
            for place, command, dry_run in steps
        ]
        for one, number in zip(asked, await accept(self.database, asked), strict=True):
            self.asked[one.tenant_id].append(one)
            self.ids[one.tenant_id].append(number)
            self.engines[engine].ready.add(one.tenant_id)

    async def assert_agrees(self):
        await asyncio.gather(*(engine.drain() for engine in self.engines))
        assert await open_operations(self.database) == 0
        for tenant_id, asked in self.asked.items():
            await Oracle(self.database, tenant_id).assert_agrees(asked, self.ids[tenant_id])
