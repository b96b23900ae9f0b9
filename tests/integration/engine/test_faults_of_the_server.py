"""Faults that are the server's: nobody is blamed, nothing is counted, the same tenants come again."""

import asyncpg
import pytest

from domain.commands import Kind
from tests.support.bad_handlers import named
from tests.support.engine import Asked, Engine, accept, add_tenant, operations
from workers import delivery
from workers.handlers import HANDLERS


@pytest.fixture(autouse=True)
def _without_a_pause(monkeypatch):
    monkeypatch.setattr(delivery, "_FIRST_PAUSE", 0.0)


class Faulty:
    """A handler table in which putting groups fails with these errors, one after the other, and then works."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.handlers = {**HANDLERS, Kind.PUT_GROUPS: self._put_groups}

    async def _put_groups(self, tx, orders, at):
        decisions = await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)
        if self.errors:
            raise self.errors.pop(0)
        return decisions


async def queued(database, tenant, count=3):
    return await accept(database, [Asked(tenant_id=tenant.id, command=named(f"Name {n}")) for n in range(count)])


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.AdminShutdownError("shutdown"),
        asyncpg.LockNotAvailableError("lock"),
        ConnectionResetError("reset"),
        TimeoutError(),
    ],
)
async def test_a_pass_that_the_server_broke_is_repeated_whole_and_counts_against_nobody(database, tenant, error):
    engine = Engine(database, handlers=Faulty(error, error).handlers)
    ids = await queued(database, tenant)
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [(view.status.value, view.attempts) for view in views] == [("succeeded", 0)] * 3
    assert engine.witness.named == [ids] * 3


async def test_an_operation_is_not_applied_without_being_named(database, tenant):
    engine = Engine(database)
    ids = await queued(database, tenant)
    name, refusals = engine.witness.name, [TimeoutError(), ConnectionResetError()]

    async def refuse(open_operations):
        if refusals:
            raise refusals.pop(0)
        await name(open_operations)

    engine.witness.name = refuse
    await engine.drain(tenant.id)
    assert engine.witness.named == [ids]
    assert {view.status.value for view in await operations(database, tenant.id, ids)} == {"succeeded"}


async def test_a_debt_that_could_not_be_asked_about_is_paid(database, tenant, monkeypatch):
    other = await add_tenant(database)
    engine = Engine(database)
    await queued(database, tenant)

    async def unreachable(reader, tenant_ids):
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "still_open", unreachable)
        engine.ready.add(tenant.id)
        engine.ready.add(other.id)
        await engine.turn()
    assert set((await engine.ready.next()).shares) == {tenant.id, other.id}


async def test_an_answer_that_cannot_be_sent_does_not_undo_what_was_committed(database, tenant):
    engine = Engine(database)

    async def fails(replies):
        raise RuntimeError("the broker's library has a bug")

    engine.delivery._committed = fails
    ids = await queued(database, tenant)
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [(view.status.value, view.attempts) for view in views] == [("succeeded", 0)] * 3
