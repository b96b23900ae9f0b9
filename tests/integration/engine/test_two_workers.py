"""Two workers on the same tenants: whoever held a tenant reads it again, so nothing is left behind."""

import asyncio

import pytest

from domain.commands import AssignmentOp, GroupPut, Kind, PutGroups
from tests.support.directory_commands import change, put_groups, put_roles, put_users
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, open_operations, operations, state_of
from tests.support.oracle import Oracle, assert_sound
from workers.delivery import Delivery
from workers.handlers import HANDLERS

PATIENCE = 60.0


class Forgetful(Delivery):
    """A delivery that pays no debts: what the owed re-read is held against."""

    async def _reread(self, held):
        return


class Gate:
    """Holds a handler until it is let go, with the tenant's lock in its hands."""

    def __init__(self):
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.handlers = {**HANDLERS, Kind.PUT_GROUPS: self._put_groups}

    async def _put_groups(self, tx, orders, at):
        self.reached.set()
        await self.open.wait()
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)


def pairs_of(ids):
    return [set(ids[place : place + 2]) for place in range(0, len(ids), 2)]


def renamed(n):
    return PutGroups(items=(GroupPut(key="g", name=f"Name {n}"),))


@pytest.mark.parametrize(("delivery", "left"), [(Delivery, 0), (Forgetful, 1)])
async def test_what_came_while_a_worker_held_the_tenant_is_left_behind_without_the_owed_reread(
    database, tenant, delivery, left
):
    gate = Gate()
    holder = Engine(database, handlers=gate.handlers, delivery=delivery)
    other = Engine(database, delivery=delivery)
    await accept(database, [Asked(tenant_id=tenant.id, command=renamed(1))])
    holding = asyncio.create_task(holder.drain(tenant.id))
    await asyncio.wait_for(gate.reached.wait(), PATIENCE)
    await accept(database, [Asked(tenant_id=tenant.id, command=renamed(2))])
    await other.drain(tenant.id)
    assert other.witness.named == []
    gate.open.set()
    await asyncio.wait_for(holding, PATIENCE)
    assert await open_operations(database) == left
    assert len(holder.witness.named) == 2 - left


async def test_paired_calls_through_two_workers_leave_nothing_behind(database):
    tenants = [(await add_tenant(database)).id for _ in range(10)]
    workers = [Engine(database), Engine(database)]
    loops = [asyncio.create_task(_deliver(worker)) for worker in workers]

    async def call(place, tenant_id, n):
        [number] = await accept(database, [Asked(tenant_id=tenant_id, command=renamed(n))])
        workers[place].ready.add(tenant_id)
        return number

    ids = {tenant_id: [] for tenant_id in tenants}
    for n in range(20):
        pairs = await asyncio.gather(*(call(place, tenant_id, n) for tenant_id in tenants for place in range(2)))
        for place, number in enumerate(pairs):
            ids[tenants[place // 2]].append(number)
    async with asyncio.timeout(PATIENCE):
        while await open_operations(database):
            assert all(not loop.done() for loop in loops)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    for tenant_id in tenants:
        views = sorted(await operations(database, tenant_id, ids[tenant_id]), key=lambda view: view.seq)
        assert [view.status.value for view in views] == ["succeeded"] * 40
        state, events = await state_of(database, tenant_id), await events_of(database, tenant_id)
        assert_sound(state, events)
        finished = [event["operation"] for event in events if event["type"] == "operation.finished"]
        # The two of a pair were sent at once, so either may be first; one pair was accepted before the next was sent.
        assert pairs_of(finished) == pairs_of([str(view.id) for view in views])
        assert state["groups"]["g"]["name"] == views[-1].request["items"][0]["name"]


async def test_a_pass_over_many_tenants_does_what_passes_over_each_would(database):
    tenants = [(await add_tenant(database)).id for _ in range(25)]
    asked = [
        Asked(tenant_id=tenant_id, command=command)
        for command in (put_users(3), put_groups(2), put_roles(1), change(AssignmentOp.CREATE, 3))
        for tenant_id in tenants
    ]
    engine = Engine(database)
    ids = await accept(database, asked)
    await engine.drain(*tenants)
    assert engine.delivery.passes == 1
    for tenant_id in tenants:
        mine = [(one, number) for one, number in zip(asked, ids, strict=True) if one.tenant_id == tenant_id]
        await Oracle(database, tenant_id).assert_agrees([one for one, _ in mine], [number for _, number in mine])


async def _deliver(worker):
    while True:
        await worker.delivery.turn(await worker.ready.next())
