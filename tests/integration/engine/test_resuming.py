"""An operation that failed in the middle of its chunks goes on, redriven, with what they left: as things are then."""

import pytest

from domain.commands import DeleteGroups
from domain.drift import Check
from domain.license_commands import RemoveGroupLicense
from tests.support.dead import errors_of, log_of, redriving
from tests.support.drift import assert_no_drift
from tests.support.engine import Engine, events_of, state_of
from tests.support.license_state import continuations, license_state_of
from tests.support.oracle import assert_sound
from tests.support.running import Flaky, apply, begin, giving, view_of
from tests.support.seats import grants_of, groups, join, leave, people, pools_of, program, put, seats_of
from workers import steps

NAMES = [f"p{n}" for n in range(9)]


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


async def crowd(engine, tenant, capacity=20):
    await apply(engine, tenant, people(*NAMES), groups("g", "h"), put(program("photo", capacity)), join("g", *NAMES))


async def fail_midway(engine, tenant, monkeypatch, command, statement):
    """Begin the command, and let every chunk of it raise until it is a dead letter."""
    view = await begin(engine, tenant, command)
    assert view.status.value == "running"

    async def broken(*_args, **_named):
        raise RuntimeError("by design")

    with monkeypatch.context() as context:
        context.setattr(statement, broken)
        await engine.drain(tenant.id)
    failed = await view_of(engine, tenant, view.id)
    assert failed.status.value == "failed"
    assert [error["count"] for error in await errors_of(engine.database, tenant)] == [1]
    return failed


async def redriven(engine, tenant, failed):
    await apply(engine, tenant, redriving(failed.id))
    await engine.drain(tenant.id)
    assert await continuations(engine.database, tenant.id) == []
    state = await state_of(engine.database, tenant.id) | await license_state_of(engine.database, tenant.id)
    assert_sound(state, await events_of(engine.database, tenant.id))
    await assert_no_drift(engine.database)
    [row] = [row for row in await log_of(engine.database, tenant) if row["id"] == failed.id]
    assert row["unfinished"] is None
    return await view_of(engine, tenant, failed.id)


async def test_a_fan_out_goes_on_with_who_has_nothing_yet_and_keeps_its_answer(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant)
    command = await giving(database, tenant, "g", "photo")
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.steps.add_holders")
    await apply(engine, tenant, leave("g", "p1"), join("g", "p0"))
    view = await redriven(engine, tenant, failed)
    assert (view.status.value, view.response, view.error) == ("succeeded", failed.response, None)
    assert view.done == view.total
    assert await grants_of(database, tenant) == {("g", "photo"): (8, 8, 0, 0)}
    finished = [one for one in await events_of(database, tenant.id) if one["subject"] == f"operations/{view.id}"]
    assert [one["data"]["operation"]["status"] for one in finished] == ["failed", "succeeded"]


async def test_what_is_redriven_may_raise_as_often_again(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant)
    command = await giving(database, tenant, "g", "photo")
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.steps.add_holders")
    monkeypatch.setattr("workers.steps.add_holders", Flaky(steps.add_holders, [True, True]))
    assert (await redriven(engine, tenant, failed)).status.value == "succeeded"


async def test_members_for_whom_no_seat_is_left_wait(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant, capacity=9)
    command = await giving(database, tenant, "g", "photo")
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.steps.add_holders")
    await apply(engine, tenant, put(program("photo", 4)))
    await redriven(engine, tenant, failed)
    states = [state for state, _ in (await seats_of(database, tenant)).values()]
    assert sorted(states) == ["active"] * 4 + ["queued"] * 5


async def test_a_withdrawal_goes_on_with_who_has_it_still(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant)
    granted = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await engine.drain(tenant.id)
    number = granted.response["items"][0]["group_license"]["id"]
    command = RemoveGroupLicense(assignment_id=number)
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.steps.write_seats")
    assert await pools_of(database, tenant) == {"photo": (7, 0, 0)}
    await redriven(engine, tenant, failed)
    assert await pools_of(database, tenant) == {"photo": (0, 0, 0)}


async def test_a_withdrawal_that_a_later_command_undid_stays_undone(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant)
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await engine.drain(tenant.id)
    command = await giving(database, tenant, "g", "photo", active=False)
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.steps.write_seats")
    await apply(engine, tenant, await giving(database, tenant, "g", "photo", active=True))
    await engine.drain(tenant.id)
    view = await redriven(engine, tenant, failed)
    assert view.status.value == "succeeded"
    assert await grants_of(database, tenant) == {("g", "photo"): (9, 9, 0, 0)}


async def test_the_deletion_of_a_group_goes_on_although_its_key_is_gone(database, tenant, engine, monkeypatch):
    await crowd(engine, tenant)
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await engine.drain(tenant.id)
    command = DeleteGroups(keys=("g",), cascade=True)
    failed = await fail_midway(engine, tenant, monkeypatch, command, "workers.cascades.take_from_group")
    left_over = {Check.STRAY_ASSIGNMENT, Check.STRAY_SOURCE, Check.STRAY_GRANT, Check.GROUP_MEMBERS}
    await assert_no_drift(database, but=left_over)
    view = await redriven(engine, tenant, failed)
    assert (view.status.value, view.response) == ("succeeded", failed.response)
    assert await seats_of(database, tenant) == {}
    assert (await state_of(database, tenant.id))["members"] == set()
