"""What an operator takes back before its turn is never applied, wherever it stands in the log."""

import asyncio

import pytest

from tests.support.bad_handlers import BAD_HANDLERS, RAISES, named
from tests.support.dead import fail, redriving, request_cancellation, statuses
from tests.support.engine import Asked, Engine, accept, events_of, operations, state_of
from tests.support.oracle import assert_sound
from workers.waves import Budget

SMALL = Budget(operations=2, items=100, bytes=1_000_000)


def asked(tenant, *names):
    return [Asked(tenant_id=tenant.id, command=named(name)) for name in names]


async def test_what_is_taken_back_ends_in_the_next_pass_although_much_stands_before_it(database, tenant):
    engine = Engine(database, budget=SMALL)
    ids = await accept(database, asked(tenant, *(f"Name {n}" for n in range(9))), reply_to="a queue")
    assert await request_cancellation(database, tenant, ids[8], ids[4]) == {ids[4], ids[8]}
    engine.ready.add(tenant.id)
    await engine.turn()
    assert await statuses(database, tenant, ids) == [
        *["succeeded"] * 2, "queued", "queued", "cancelled", *["queued"] * 3, "cancelled",
    ]  # fmt: skip
    assert {number for replies in engine.replies for number in replies["a queue"]} >= {ids[4], ids[8]}
    await engine.drain(tenant.id)
    assert await statuses(database, tenant, ids) == [
        *["succeeded"] * 4, "cancelled", *["succeeded"] * 3, "cancelled",
    ]  # fmt: skip
    state, events = await state_of(database, tenant.id), await events_of(database, tenant.id)
    assert_sound(state, events)
    assert state["groups"]["g"]["name"] == "Name 7"
    finished = {one["operation"]: one["data"]["operation"]["status"] for one in events if "operation" in one["data"]}
    assert (finished[str(ids[4])], finished[str(ids[8])]) == ("cancelled", "cancelled")
    [view] = await operations(database, tenant.id, [ids[4]])
    assert (view.response, view.started_at, view.done) == (None, None, 0)
    assert view.finished_at is not None


async def test_what_has_been_applied_cannot_be_taken_back(database, tenant, engine):
    ids = await accept(database, asked(tenant, "One"))
    await engine.drain(tenant.id)
    assert await request_cancellation(database, tenant, *ids) == set()
    assert await statuses(database, tenant, ids) == ["succeeded"]


async def test_a_pass_that_holds_the_operation_already_goes_on_and_the_wish_comes_too_late(database, tenant):
    reached, opened = asyncio.Event(), asyncio.Event()
    handlers = dict(BAD_HANDLERS)
    put_groups = handlers["groups.put"]

    async def held(tx, orders, at):
        reached.set()
        await opened.wait()
        return await put_groups(tx, orders, at)

    engine = Engine(database, handlers={**handlers, "groups.put": held})
    ids = await accept(database, asked(tenant, "One"))
    turning = asyncio.create_task(engine.drain(tenant.id))
    await asyncio.wait_for(reached.wait(), 30)
    assert await request_cancellation(database, tenant, *ids) == set(ids)  # the pass has written nothing of it yet
    opened.set()
    await asyncio.wait_for(turning, 30)
    assert await statuses(database, tenant, ids) == ["succeeded"]
    assert (await events_of(database, tenant.id))[-1]["data"]["operation"]["status"] == "succeeded"


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_poison_can_be_taken_back_and_so_can_what_stands_before_and_behind_it(database, tenant, place):
    engine = Engine(database, handlers=BAD_HANDLERS)
    ids = await accept(database, asked(tenant, "One", RAISES, "Two"))
    await request_cancellation(database, tenant, ids[place])
    await engine.drain(tenant.id)
    expected = ["succeeded", "failed", "succeeded"]
    expected[place] = "cancelled"
    assert await statuses(database, tenant, ids) == expected


async def test_a_dry_run_is_taken_back_without_a_word_to_subscribers(database, tenant, engine):
    [dry] = await accept(database, [Asked(tenant_id=tenant.id, command=named("One"), dry_run=True)])
    await request_cancellation(database, tenant, dry)
    await engine.drain(tenant.id)
    assert await statuses(database, tenant, [dry]) == ["cancelled"]
    assert await events_of(database, tenant.id) == []


async def test_what_has_been_redriven_can_be_taken_back_again(database, tenant):
    broken, engine = Engine(database, handlers=BAD_HANDLERS), Engine(database)
    ids = await fail(broken, tenant, RAISES)
    await accept(database, [Asked(tenant_id=tenant.id, command=redriving(*ids))])
    engine.ready.add(tenant.id)
    await engine.turn()
    assert await statuses(database, tenant, ids) == ["queued"]
    await request_cancellation(database, tenant, *ids)
    await engine.drain(tenant.id)
    assert await statuses(database, tenant, ids) == ["cancelled"]
