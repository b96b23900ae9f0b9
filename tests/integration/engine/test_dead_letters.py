"""Dead letters are counted by their errors, queued again or given up, in bounded steps, under the tenant's lock."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.commands import Kind
from tests.support.bad_handlers import BAD_HANDLERS, RAISES, VIOLATES, bad_handlers_with, named
from tests.support.dead import discarding, errors_of, fail, log_of, redriving, statuses
from tests.support.engine import Asked, Engine, accept, events_of, operations, state_of
from tests.support.oracle import assert_sound
from workers.retention import Retention


@pytest.fixture
def broken(database):
    return Engine(database, handlers=BAD_HANDLERS)


def asked(tenant, command):
    return Asked(tenant_id=tenant.id, command=command)


async def test_those_that_failed_alike_are_counted_together(database, tenant, broken):
    await fail(broken, tenant, RAISES, "One", VIOLATES, RAISES, RAISES)
    found = {error["message"].partition(" ")[0]: error for error in await errors_of(database, tenant)}
    assert {name: error["count"] for name, error in found.items()} == {"ByDesignError": 3, "UniqueViolationError": 1}
    error = found["ByDesignError"]
    assert (error["kind"], error["code"]) == (Kind.PUT_GROUPS, "OPERATION_RAISED")
    assert error["first_seen"] <= error["last_seen"]


async def test_a_redriven_operation_has_its_id_a_new_place_and_nothing_of_its_failure(database, tenant, broken, engine):
    ids = await fail(broken, tenant, RAISES, "One")
    before = (await operations(database, tenant.id, ids))[0]
    [redrive] = await engine.run(asked(tenant, redriving(ids[0])))
    assert (redrive.status.value, redrive.response["items"]) == ("succeeded", [{"outcome": "redriven", "count": 1}])
    [view] = await operations(database, tenant.id, ids[:1])
    assert (view.status.value, view.attempts, view.error) == ("succeeded", 0, None)
    assert view.seq > redrive.seq > before.seq
    assert await errors_of(database, tenant) == []
    state, events = await state_of(database, tenant.id), await events_of(database, tenant.id)
    assert state["groups"]["g"]["name"] == RAISES  # the last in the log, since it was redriven after the other
    finished = [one["data"]["operation"]["status"] for one in events if one["subject"] == f"operations/{view.id}"]
    assert finished == ["failed", "succeeded"]
    assert_sound(state, events)
    [row] = [row for row in await log_of(database, tenant) if row["id"] == view.id]
    assert [moment["event"] for moment in row["history"]] == ["claimed", "failed", "redriven"]
    assert row["history"][1]["code"] == "OPERATION_RAISED"


async def test_what_fails_again_is_counted_again_and_not_redriven_without_end(database, tenant):
    engine = Engine(database, handlers=bad_handlers_with(2), rows=2)
    ids = await fail(engine, tenant, *[RAISES] * 5)
    [redrive] = await engine.run(asked(tenant, redriving()))
    assert (redrive.status.value, redrive.done) == ("succeeded", 5)
    assert await statuses(database, tenant, ids) == ["failed"] * 5
    assert [error["count"] for error in await errors_of(database, tenant)] == [5]


async def test_many_are_redriven_in_steps_in_their_order_and_other_calls_come_in_between(database, tenant, broken):
    ids = await fail(broken, tenant, *[RAISES] * 7)
    engine = Engine(database, rows=2)
    [redrive] = await accept(database, [asked(tenant, redriving(code="OPERATION_RAISED"))])
    engine.ready.add(tenant.id)
    await engine.turn()
    [view] = await operations(database, tenant.id, [redrive])
    assert (view.status.value, view.done) == ("running", 2)
    assert await statuses(database, tenant, ids) == ["queued"] * 2 + ["failed"] * 5
    [other] = await accept(database, [asked(tenant, named("Meanwhile", "h"))])
    await engine.turn()
    assert await statuses(database, tenant, [*ids, other]) == ["succeeded"] * 2 + ["failed"] * 5 + ["succeeded"]
    await engine.drain(tenant.id)
    [view] = await operations(database, tenant.id, [redrive])
    assert (view.status.value, view.done, view.total) == ("succeeded", 7, 7)
    log = [row["id"] for row in await log_of(database, tenant)]
    assert [number for number in log if number in ids] == ids
    assert_sound(await state_of(database, tenant.id), await events_of(database, tenant.id))


async def test_only_what_is_meant_is_redriven(database, tenant, broken, engine):
    ids = await fail(broken, tenant, RAISES, VIOLATES, RAISES)
    [violation] = [one for one in await errors_of(database, tenant) if "UniqueViolation" in one["message"]]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for command in (
        redriving(code="OPERATION_TIMED_OUT"),
        redriving(kind="users.put"),
        redriving(since=tomorrow),
        redriving(until=tomorrow - timedelta(days=2)),
        redriving(fingerprint="0" * 16),
    ):
        [view] = await engine.run(asked(tenant, command))
        assert view.response["items"][0]["count"] == 0
    await engine.run(asked(tenant, redriving(fingerprint=violation["fingerprint"], until=tomorrow)))
    assert await statuses(database, tenant, ids) == ["failed", "succeeded", "failed"]


async def test_a_tenant_s_redrive_does_not_touch_another_tenant(database, tenant, stranger, broken, engine):
    mine, theirs = await fail(broken, tenant, RAISES), await fail(broken, stranger, RAISES)
    [view] = await engine.run(asked(tenant, redriving(*theirs)))
    assert view.response["items"][0]["count"] == 0
    await engine.run(asked(tenant, redriving()))
    assert await statuses(database, tenant, mine) == ["succeeded"]
    assert await statuses(database, stranger, theirs) == ["failed"]


async def test_what_is_discarded_stays_failed_is_no_dead_letter_and_goes_with_the_retention(database, tenant, broken):
    ids = await fail(broken, tenant, *[RAISES] * 5)
    engine = Engine(database, rows=2)
    [view] = await engine.run(asked(tenant, discarding(kind="groups.put", reason="sent by mistake")))
    assert (view.status.value, view.done) == ("succeeded", 5)
    assert await statuses(database, tenant, ids) == ["failed"] * 5
    rows = [row for row in await log_of(database, tenant) if row["id"] in ids]
    assert {row["discard_reason"] for row in rows} == {"sent by mistake"}
    assert all(row["discarded_at"] for row in rows)
    assert await errors_of(database, tenant) == []
    [again] = await engine.run(asked(tenant, redriving(*ids)))
    assert again.response["items"][0]["count"] == 0
    assert await Retention(database=database, keep=timedelta(minutes=1)).sweep() == 0
    await Retention(database=database, keep=timedelta()).sweep()
    assert await operations(database, tenant.id, ids) == []


async def test_the_events_of_an_operation_are_between_its_two_sequences(database, tenant, broken):
    ids = await fail(broken, tenant, "One", RAISES, "Two")
    events = await events_of(database, tenant.id)
    for row in await log_of(database, tenant):
        own = [event["sequence"] for event in events if event["operation"] == str(row["id"])]
        assert (row["first_sequence"], row["last_sequence"]) == (own[0], own[-1])
        assert own == list(range(own[0], own[-1] + 1))
    assert len(ids) == 3
