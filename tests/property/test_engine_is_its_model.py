"""Random commands through real passes on a real database: the engine does what the model says, however it is split."""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from tests.property.commands import DIRECTORY_KINDS, KINDS, SEEDS, bounded, drawn_by, opening
from tests.support.engine import Asked, Engine, accept, add_tenant, open_operations
from tests.support.license_state import ids_of
from tests.support.oracle import Oracle
from workers.waves import Budget

# Of each step: its command's seed, its tenant, and how many passes follow the batch that it ends, if it ends one.
STEPS = st.lists(
    st.tuples(SEEDS, st.sampled_from((0, 0, 0, 1, 2)), st.sampled_from((None, None, None, 0, 1, 2))),
    min_size=6,
    max_size=50,
)
OF_KINDS = st.sampled_from((KINDS, KINDS, KINDS, DIRECTORY_KINDS))
BUDGETS = st.builds(
    Budget, operations=st.integers(1, 8), items=st.integers(1, 30), bytes=st.sampled_from((300, 2_000, 1_000_000))
)


@bounded(60)
@given(kinds=OF_KINDS, seeds=st.lists(SEEDS, min_size=6, max_size=20))
async def test_after_every_single_command_the_engine_is_what_the_model_says(database, kinds, seeds):
    tenant = await add_tenant(database)
    engine, oracle = Engine(database), Oracle(database, tenant.id)
    for draft, dry_run in [*opening(kinds), *drawn_by(seeds, kinds)]:
        command = draft(await ids_of(database, tenant.id))
        asked = Asked(tenant_id=tenant.id, command=command, dry_run=dry_run)
        [operation] = await engine.run(asked)
        await oracle.assert_agrees([asked], [operation.id])


@bounded(100)
@given(kinds=OF_KINDS, budget=BUDGETS, share=st.integers(1, 12), steps=STEPS)
async def test_any_split_into_passes_and_waves_is_as_one_by_one(database, kinds, budget, share, steps):
    run = await _Run.begin(database, kinds, Engine(database, budget=budget, share=share))
    for batch, turns in _batches(steps, kinds):
        await run.accept(batch, run.engines[0])
        for _ in range(turns):
            await run.engines[0].turn()
    await run.assert_agrees()


@bounded(40)
@given(kinds=OF_KINDS, steps=STEPS)
async def test_two_workers_at_once_do_what_one_would(database, kinds, steps):
    run = await _Run.begin(database, kinds, Engine(database), Engine(database))
    for place, (batch, turns) in enumerate(_batches(steps, kinds)):
        await run.accept(batch, run.engines[place % 2])
        for _ in range(turns):
            await asyncio.gather(*(engine.turn() for engine in run.engines))
    await run.assert_agrees()


def _batches(steps, kinds):
    """What is accepted together, and how many passes follow."""
    batch = []
    commands = drawn_by((seed for seed, _, _ in steps), kinds)
    for (_, tenant, turns), (draft, dry_run) in zip(steps, commands, strict=True):
        batch.append((tenant, draft, dry_run))
        if turns is not None:
            yield batch, turns
            batch = []
    if batch:
        yield batch, 0


class _Run:
    """Three tenants, and what was asked of each in accept order."""

    def __init__(self, database, tenants, engines):
        self.database, self.tenants, self.engines = database, tenants, engines
        self.asked, self.ids = defaultdict(list), defaultdict(list)

    @classmethod
    async def begin(cls, database, kinds, *engines):
        run = cls(database, [await add_tenant(database) for _ in range(3)], engines)
        await run.accept(
            [(place, draft, dry_run) for place in range(3) for draft, dry_run in opening(kinds)], engines[0]
        )
        await engines[0].drain()  # so that what is asked next can name what there is by its numbers
        return run

    async def accept(self, batch, engine):
        ids = [await ids_of(self.database, tenant.id) for tenant in self.tenants]
        asked = [Asked(tenant_id=self.tenants[t].id, command=draft(ids[t]), dry_run=dry) for t, draft, dry in batch]
        for one, number in zip(asked, await accept(self.database, asked), strict=True):
            self.asked[one.tenant_id].append(one)
            self.ids[one.tenant_id].append(number)
            engine.ready.add(one.tenant_id)

    async def assert_agrees(self):
        await asyncio.gather(*(engine.drain() for engine in self.engines))
        assert await open_operations(self.database) == 0
        for tenant_id, asked in self.asked.items():
            await Oracle(self.database, tenant_id).assert_agrees(asked, self.ids[tenant_id])
