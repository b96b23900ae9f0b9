"""Two real workers on one tenant while a fan-out runs: joins, withdrawals, a second group; one seat for each person."""

import asyncio

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments, PutUsers, UserPut
from domain.license_commands import ChangeSeats, RemoveGroupLicense, SeatChange, SeatOp, SetGroupLicense
from tests.support.callers import calling
from tests.support.crowds import fill
from tests.support.processes import worker_process
from tests.support.running import assert_running_sound
from tests.support.waiting import found

MEMBERS = 40_000  # some ten chunks: the fan-out runs for longer than a call takes
SPARE = 10
_LAST = f"p{MEMBERS}"


@pytest.fixture
async def caller(database_url, tmp_path):
    settings = {"database_url": database_url, "poll_seconds_without_broker": "0.02"}
    with worker_process(tmp_path / "one.log", **settings), worker_process(tmp_path / "two.log", **settings):
        async with calling(database_url) as caller:
            yield caller


async def settled(caller):
    """Nothing is open any more, and everything is as a recount finds it."""
    count = "SELECT 1 AS done WHERE NOT EXISTS (SELECT 1 FROM operation WHERE status IN ('queued', 'running'))"
    await found(lambda: caller.ask(count), seconds=60)
    await assert_running_sound(caller.database, caller)


async def counts(caller):
    [row] = await caller.ask(
        "SELECT used, reserved, waiting, (SELECT count(*) FROM entitlement) AS rows,"
        " (SELECT count(*) FROM entitlement_source) AS sources FROM license"
    )
    return row


async def test_who_joins_leaves_or_asks_during_a_fan_out_ends_with_what_their_groups_say(caller, database_url):
    license_id, [group_id] = await fill(caller, database_url, members=MEMBERS, spare=SPARE)
    given = (await caller.post(SetGroupLicense(license_id=license_id, group_id=group_id))).operation
    leave = AssignmentChange(op=AssignmentOp.DELETE, group="everybody", user=_LAST, role="member")
    await asyncio.gather(
        caller.post(PutUsers(items=(UserPut(key="new", username="new", primary_group="everybody"),))),
        caller.post(ChangeAssignments(items=(leave,))),
        caller.post(ChangeSeats(items=(SeatChange(op=SeatOp.ASSIGN, license="photo", user=f"p{MEMBERS - 1}"),))),
    )
    assert given.response["items"][0]["group_license"]["assigned_count"] < MEMBERS
    await settled(caller)
    # One has joined, one has left, one has a second source.
    assert await counts(caller) == {
        "used": MEMBERS, "reserved": 0, "waiting": 0, "rows": MEMBERS, "sources": MEMBERS + 1,
    }  # fmt: skip


async def test_a_withdrawal_during_a_fan_out_takes_all_of_it_back(caller, database_url):
    license_id, [group_id] = await fill(caller, database_url, members=MEMBERS)
    given = (await caller.post(SetGroupLicense(license_id=license_id, group_id=group_id))).operation
    number = given.response["items"][0]["group_license"]["id"]
    taken = (await caller.post(RemoveGroupLicense(assignment_id=number))).operation
    await settled(caller)
    assert await counts(caller) == {"used": 0, "reserved": 0, "waiting": 0, "rows": 0, "sources": 0}
    [row] = await caller.ask("SELECT status, superseded_by FROM operation WHERE id = :id", id=given.id)
    assert row == {"status": "succeeded", "superseded_by": taken.id}


async def test_two_groups_with_the_same_members_are_given_one_seat_each(caller, database_url):
    license_id, group_ids = await fill(caller, database_url, members=MEMBERS, groups=("one", "two"))
    await asyncio.gather(
        *(caller.post(SetGroupLicense(license_id=license_id, group_id=group_id)) for group_id in group_ids)
    )
    await settled(caller)
    assert await counts(caller) == {
        "used": MEMBERS, "reserved": 0, "waiting": 0, "rows": MEMBERS, "sources": 2 * MEMBERS,
    }  # fmt: skip
