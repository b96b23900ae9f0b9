"""Nobody waits behind a busy tenant, and no pass reads more than it can apply."""

import asyncio

from domain.commands import GroupPut, PutGroups
from infra.postgres.passes import lock_tenants, read_open
from tests.support.directory_commands import put_groups
from tests.support.engine import Asked, Engine, Witness, accept, add_tenant, open_operations, operations
from tests.support.running import apply, begin, giving
from tests.support.seats import groups, join, people, program, put
from workers import chunks, passes
from workers.waves import Budget


async def test_a_tenant_with_more_left_goes_to_the_back(database):
    busy, patient = await add_tenant(database), await add_tenant(database)
    engine = Engine(database, budget=Budget(operations=100, items=2, bytes=10**6))
    await accept(database, [Asked(tenant_id=busy.id, command=put_groups(2)) for _ in range(10)])
    [single] = await accept(database, [Asked(tenant_id=patient.id, command=put_groups(2))])
    engine.ready.add(busy.id)
    engine.ready.add(patient.id)
    await engine.turn()
    await engine.turn()
    [operation] = await operations(database, patient.id, [single])
    assert not operation.status.is_open


async def test_every_tenant_has_its_turn_however_few_a_pass_can_serve(database):
    tenants = [(await add_tenant(database)).id for _ in range(6)]
    engine = Engine(database, budget=Budget(operations=2, items=100, bytes=10**6))
    ids = {
        tenant_id: await accept(database, [Asked(tenant_id=tenant_id, command=put_groups(1)) for _ in range(5)])
        for tenant_id in tenants
    }
    for tenant_id in tenants:
        engine.ready.add(tenant_id)
    for _ in range(3):
        await engine.turn()
    for tenant_id in tenants:
        [first] = await operations(database, tenant_id, ids[tenant_id][:1])
        assert not first.status.is_open


async def test_work_in_chunks_goes_on_while_its_tenant_asks_without_end(database, tenant):
    """At every re-read after a pass something is queued again; the fan-out of another caller ends all the same."""
    engine = Endless(database, tenant.id)
    names = [f"p{n}" for n in range(9)]
    await apply(engine, tenant, people(*names), groups("g"), put(program("photo", 9)), join("g", *names))
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert view.status.is_open
    engine.asks = True
    await engine.until(chunks=4)
    [view] = await operations(database, tenant.id, [view.id])
    assert (view.status.value, view.done) == ("succeeded", 9)


class Endless(Engine):
    """Passes and chunks beside each other as in a worker; whoever has an answer asks again before anybody looks."""

    def __init__(self, database, tenant_id):
        super().__init__(database, rows=2)
        self.tenant_id = tenant_id
        self.asks = False

    async def _committed(self, replies):
        if self.asks:
            await accept(self.database, [Asked(tenant_id=self.tenant_id, command=put_groups(1))])
            self.ready.add(self.tenant_id)  # its claim comes before the pass has ended

    async def _chunk_committed(self):
        if self.lane.chunks == self.wanted:
            self.done.set()

    async def until(self, chunks):
        """Run both until so many chunks have been."""
        self.wanted, self.done = chunks, asyncio.Event()
        await self._committed({})
        loops = [asyncio.create_task(self._passes()), asyncio.create_task(self._chunks())]
        async with asyncio.timeout(20):
            await self.done.wait()
        self.asks = False
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await self.drain(self.tenant_id)

    async def _passes(self):
        while True:
            await self.delivery.turn(await self.ready.next())

    async def _chunks(self):
        while True:
            await self.lane.turn(await self.lane.next())


async def test_a_chunk_that_missed_its_turn_comes_before_the_next_pass_and_holds_nobody_back_when_it_fails(
    database, tenant, monkeypatch
):
    engine = Engine(database, rows=2, inflight=Looking())
    engine.witness.ready = engine.ready
    await apply(engine, tenant, people("a", "b", "c"), groups("g"), put(program("photo", 3)), join("g", "a", "b", "c"))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    async with database.transaction() as tx:
        await lock_tenants(tx, [tenant.id])
        await engine.chunk()
    engine.lane.add(tenant.id)  # as the re-read after the pass that held it does
    engine.ready.add(tenant.id)
    assert len(engine.ready) == 0
    with monkeypatch.context() as broken:
        broken.setattr(chunks, "continue_one", _raises)
        await engine.chunk()
    assert engine.witness.seen == [1]
    await engine.drain(tenant.id)


async def _raises(*_arguments, **_options):
    raise ZeroDivisionError


class Looking(Witness):
    """Sees how many tenants could have a pass when a chunk is given up."""

    def __init__(self):
        super().__init__()
        self.seen = []

    async def clear_chunk(self):
        self.seen.append(len(self.ready))


async def test_a_pass_reads_no_more_of_a_tenant_than_it_may_apply_but_always_the_first(database, tenant):
    large = PutGroups(items=(GroupPut(key="g", name="x" * 100_000),))
    await accept(database, [Asked(tenant_id=tenant.id, command=large) for _ in range(10)])
    async with database.transaction() as tx:
        some = await read_open(tx, {tenant.id: 250}, most_items=1_000, most_bytes=300_000)
        first = await read_open(tx, {tenant.id: 250}, most_items=1_000, most_bytes=1)
        fewer = await read_open(tx, {tenant.id: 250}, most_items=4, most_bytes=10**9)
        share = await read_open(tx, {tenant.id: 2}, most_items=1_000, most_bytes=10**9)
    assert [len(found.queued[tenant.id]) for found in (some, first, fewer, share)] == [3, 1, 4, 2]


async def test_a_pass_reads_of_all_tenants_at_most_one_operation_each_beyond_its_budget(database, monkeypatch):
    budget, read = Budget(operations=100, items=20, bytes=10**6), []

    async def watched(tx, shares, **bounds):
        found = await read_open(tx, shares, **bounds)
        read.append(sum(operation.items for queue in found.queued.values() for operation in queue))
        return found

    monkeypatch.setattr(passes, "read_open", watched)
    tenants = [(await add_tenant(database)).id for _ in range(20)]
    await accept(
        database, [Asked(tenant_id=tenant_id, command=put_groups(5)) for _ in range(4) for tenant_id in tenants]
    )
    await Engine(database, budget=budget).drain(*tenants)
    assert await open_operations(database) == 0
    assert max(read) <= budget.items + 5 * len(tenants)
