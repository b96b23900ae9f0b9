"""Large groups: what does not fit into a pass goes on in chunks, and whoever looks in between sees nothing wrong."""

import pytest

from infra.postgres.statements import compile_block
from tests.support.engine import Asked, Engine, accept, events_of, state_of
from tests.support.license_state import continuations
from tests.support.oracle import assert_sound
from tests.support.running import Flaky, apply, assert_running_sound, begin, giving, removing, view_of
from tests.support.seats import (
    assign,
    grants_of,
    groups,
    join,
    leave,
    people,
    pools_of,
    program,
    put,
    seats_of,
    unassign,
)
from workers import steps

DIED_OVER = compile_block("died_over", "UPDATE operation SET attempts = CAST(:deaths AS integer) WHERE id = :id")
TIMED_OUT_TWICE = compile_block("timed_out", "UPDATE operation SET attempts = 2, failures = 2 WHERE id = :id")
NAMES = [f"p{n}" for n in range(9)]


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


async def crowd(engine, tenant, *, members=NAMES, group="g", capacity=20):
    """Everybody is there; these are in the group."""
    await apply(
        engine, tenant, people(*NAMES), groups("g", "h"), put(program("photo", capacity)), join(group, *members)
    )


async def finished(engine, tenant, number, *, whole=True):
    """Run to the end, looking after every chunk whether all is well."""
    for _ in range(60):
        if not len(engine.ready) and not len(engine.lane):
            break
        await engine.turn()
        await engine.chunk()
        await assert_running_sound(engine.database, tenant, given_up=not whole)
    assert await continuations(engine.database, tenant.id) == []
    if not whole:
        return await view_of(engine, tenant, number)
    state = await state_of(engine.database, tenant.id)
    assert_sound(state, await events_of(engine.database, tenant.id))
    return await view_of(engine, tenant, number)


def item(view):
    return view.response["items"][0]


async def test_a_small_group_is_given_its_licence_in_the_operations_own_pass(database, tenant):
    engine = Engine(database)
    await crowd(engine, tenant)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert (view.status.value, view.done, view.total) == ("succeeded", 9, 9)
    shown = item(view)
    assert (shown["created"], shown["requested"], shown["available"], shown["would_wait"]) == (True, 9, 20, 0)
    assert shown["group_license"]["fulfilled"]
    assert await seats_of(database, tenant) == {("photo", name): ("active", ["g"]) for name in NAMES}
    await finished(engine, tenant, view.id)


async def test_a_large_group_is_answered_after_the_first_chunk_and_goes_on(database, tenant, engine):
    await crowd(engine, tenant)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert (view.status.value, view.done, view.total, view.finished_at) == ("running", 2, 9, None)
    assert item(view)["group_license"]["assigned_count"] == 2
    await assert_running_sound(database, tenant)
    first = view.response
    view = await finished(engine, tenant, view.id)
    assert (view.status.value, view.done, view.total, view.response) == ("succeeded", 9, 9, first)
    assert await pools_of(database, tenant) == {"photo": (9, 0, 0)}
    assert await grants_of(database, tenant) == {("g", "photo"): (9, 9, 0, 0)}
    types = [event["type"] for event in await events_of(database, tenant.id) if event["operation"] == str(view.id)]
    assert types.count("entitlement.granted") == 9
    assert types[-1] == "operation.finished"


@pytest.mark.parametrize("deaths", [0, 2])
async def test_a_chunk_that_raises_again_and_again_fails_its_operation_and_gives_back_what_it_held(
    database, tenant, engine, monkeypatch, deaths
):
    await crowd(engine, tenant, capacity=9)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    async with database.transaction() as tx:
        await tx.execute(DIED_OVER, id=view.id, deaths=deaths)

    async def broken(*_):
        raise RuntimeError("by design")

    with monkeypatch.context() as broken_context:
        broken_context.setattr("workers.steps.add_holders", broken)
        await finished(engine, tenant, view.id, whole=False)
    failed = await view_of(engine, tenant, view.id)
    assert (failed.status.value, failed.error["code"], failed.done) == ("failed", "OPERATION_RAISED", 2)
    assert failed.attempts == deaths + 3
    assert await pools_of(database, tenant) == {"photo": (2, 0, 0)}
    again = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert item(again)["requested"] == 7
    await finished(engine, tenant, again.id)


async def test_chunks_that_raise_now_and_then_do_not_fail_their_operation(database, tenant, engine, monkeypatch):
    """Twice before each that goes well, never three times one after the other."""
    await crowd(engine, tenant)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    monkeypatch.setattr("workers.steps.add_holders", Flaky(steps.add_holders, [True, True, False] * 3))
    view = await finished(engine, tenant, view.id)
    assert (view.status.value, view.done, view.attempts) == ("succeeded", 9, 0)


async def test_what_timed_out_before_its_first_people_is_not_held_against_its_chunks(
    database, tenant, engine, monkeypatch
):
    await crowd(engine, tenant)
    command = await giving(database, tenant, "g", "photo")
    [number] = await accept(database, [Asked(tenant_id=tenant.id, command=command)])
    async with database.transaction() as tx:
        await tx.execute(TIMED_OUT_TWICE, id=number)
    engine.ready.add(tenant.id)
    await engine.turn()
    monkeypatch.setattr("workers.steps.add_holders", Flaky(steps.add_holders, [True, True]))
    assert (await finished(engine, tenant, number)).status.value == "succeeded"


async def test_too_few_seats_refuse_all_and_change_nothing(database, tenant, engine):
    await crowd(engine, tenant, capacity=8)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert view.status.value == "rejected"
    assert (item(view)["code"], item(view)["details"]) == ("NOT_ENOUGH_SEATS", {"requested": 9, "available": 8})
    assert await pools_of(database, tenant) == {"photo": (0, 0, 0)}
    assert await grants_of(database, tenant) == {}
    await finished(engine, tenant, view.id)


async def test_with_a_waitlist_the_first_members_get_the_seats_and_the_others_wait(database, tenant, engine):
    await crowd(engine, tenant, capacity=4)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo", shortage="waitlist"))
    assert (item(view)["requested"], item(view)["available"], item(view)["would_wait"]) == (9, 4, 5)
    await finished(engine, tenant, view.id)
    seats = await seats_of(database, tenant)
    assert [seats["photo", name][0] for name in NAMES] == ["active"] * 4 + ["queued"] * 5


async def test_a_member_not_yet_reached_who_asks_directly_is_given_what_was_held_back(database, tenant, engine):
    await crowd(engine, tenant, capacity=9)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    [asked] = await apply(engine, tenant, assign("photo", "p7"))
    assert item(asked)["outcome"] == "seat"
    await assert_running_sound(database, tenant)
    assert (await seats_of(database, tenant))["photo", "p7"] == ("active", ["direct", "g"])
    assert (await view_of(engine, tenant, view.id)).done == 3
    await finished(engine, tenant, view.id)
    assert await pools_of(database, tenant) == {"photo": (9, 0, 0)}


async def test_a_direct_holder_who_loses_the_seat_before_being_reached_keeps_it_through_the_group(
    database, tenant, engine
):
    await crowd(engine, tenant, capacity=9)
    await apply(engine, tenant, assign("photo", "p8"))
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert item(view)["requested"] == 8
    await apply(engine, tenant, unassign("photo", "p8"))
    await assert_running_sound(database, tenant)
    assert (await seats_of(database, tenant))["photo", "p8"] == ("active", ["g"])
    await finished(engine, tenant, view.id)
    assert await pools_of(database, tenant) == {"photo": (9, 0, 0)}


async def test_two_groups_with_the_same_members_need_each_seat_once(database, tenant, engine):
    await crowd(engine, tenant, capacity=9)
    await apply(engine, tenant, join("h", *NAMES))
    first = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    second = await begin(engine, tenant, await giving(database, tenant, "h", "photo"))
    assert (item(second)["requested"], item(second)["available"]) == (0, 0)
    await assert_running_sound(database, tenant)
    assert (await finished(engine, tenant, first.id)).status.value == "succeeded"
    assert (await finished(engine, tenant, second.id)).status.value == "succeeded"
    assert await seats_of(database, tenant) == {("photo", name): ("active", ["g", "h"]) for name in NAMES}


async def test_a_join_a_leave_and_a_deactivation_half_way_leave_nobody_out(database, tenant, engine):
    await crowd(engine, tenant, members=NAMES[:8], capacity=8)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await apply(engine, tenant, join("g", "p8"))
    assert (await seats_of(database, tenant))["photo", "p8"] == ("queued", ["g"])
    await assert_running_sound(database, tenant)
    await apply(engine, tenant, leave("g", "p6"))
    assert (await seats_of(database, tenant))["photo", "p8"] == ("active", ["g"])
    await apply(engine, tenant, people("p7", active=False))
    await finished(engine, tenant, view.id)
    held = await seats_of(database, tenant)
    assert held == {("photo", f"p{n}"): ("active", ["g"]) for n in (0, 1, 2, 3, 4, 5, 8)}
    assert await pools_of(database, tenant) == {"photo": (7, 0, 0)}


async def test_a_seat_that_comes_free_goes_to_the_next_member_whether_reached_or_not(database, tenant, engine):
    """Seats for three; p3 is the next, although nobody has come to p3 yet and p8, who joins later, waits already."""
    await crowd(engine, tenant, members=NAMES[:8], capacity=3)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo", shortage="waitlist"))
    await apply(engine, tenant, join("g", "p8"))
    await apply(engine, tenant, leave("g", "p0"))
    await assert_running_sound(database, tenant)
    assert (await seats_of(database, tenant))["photo", "p8"] == ("queued", ["g"])
    await finished(engine, tenant, view.id)
    seats = await seats_of(database, tenant)
    active = [name for name in NAMES[1:] if seats["photo", name][0] == "active"]
    assert active == ["p1", "p2", "p3"]


async def test_a_second_fan_out_that_waits_stands_behind_the_first(database, tenant, engine):
    await crowd(engine, tenant, members=NAMES[4:], capacity=4)
    await apply(engine, tenant, join("h", *NAMES[:4]))
    first = await begin(engine, tenant, await giving(database, tenant, "g", "photo", shortage="waitlist"))
    second = await begin(engine, tenant, await giving(database, tenant, "h", "photo", shortage="waitlist"))
    assert (item(second)["requested"], item(second)["available"], item(second)["would_wait"]) == (4, 0, 4)
    await apply(engine, tenant, put(program("photo", 6)))
    await assert_running_sound(database, tenant)
    await finished(engine, tenant, first.id)
    seats = await seats_of(database, tenant)
    assert [name for name in NAMES if seats["photo", name][0] == "active"] == ["p0", *NAMES[4:]]
    assert (await view_of(engine, tenant, second.id)).status.value == "succeeded"


async def test_a_withdrawal_takes_a_grant_back_in_chunks(database, tenant, engine):
    await crowd(engine, tenant)
    await finished(engine, tenant, (await begin(engine, tenant, await giving(database, tenant, "g", "photo"))).id)
    view = await begin(engine, tenant, await giving(database, tenant, "g", "photo", active=False))
    assert (view.status.value, view.done, view.total) == ("running", 2, 9)
    assert (await finished(engine, tenant, view.id)).status.value == "succeeded"
    assert await seats_of(database, tenant) == {}
    assert await grants_of(database, tenant) == {("g", "photo"): (0, 0, 0, 0)}


async def test_a_withdrawal_half_way_takes_the_fan_out_over_and_returns_what_it_held(database, tenant, engine):
    await crowd(engine, tenant, capacity=9)
    first = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    second = await begin(engine, tenant, await giving(database, tenant, "g", "photo", active=False))
    earlier = await view_of(engine, tenant, first.id)
    assert (earlier.status.value, earlier.superseded_by, earlier.done) == ("succeeded", second.id, 2)
    assert await pools_of(database, tenant) == {"photo": (0, 0, 0)}
    await finished(engine, tenant, second.id)
    assert await seats_of(database, tenant) == {}


async def test_a_new_grant_half_way_of_a_withdrawal_leaves_those_alone_who_still_have_theirs(database, tenant, engine):
    await crowd(engine, tenant, capacity=9)
    await finished(engine, tenant, (await begin(engine, tenant, await giving(database, tenant, "g", "photo"))).id)
    before = await seats_of(database, tenant)
    second = await begin(engine, tenant, await giving(database, tenant, "g", "photo", active=False))
    third = await begin(engine, tenant, await giving(database, tenant, "g", "photo", active=True))
    assert (item(third)["requested"], item(third)["available"]) == (2, 2)
    assert (await view_of(engine, tenant, second.id)).superseded_by == third.id
    await finished(engine, tenant, third.id)
    assert await seats_of(database, tenant) == before


async def test_a_deleted_grant_is_gone_at_once_and_a_new_one_does_not_meet_it(database, tenant, engine):
    await crowd(engine, tenant, capacity=18)
    await finished(engine, tenant, (await begin(engine, tenant, await giving(database, tenant, "g", "photo"))).id)
    view = await begin(engine, tenant, await removing(database, tenant, "g", "photo"))
    assert view.status.value == "running"
    again = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert item(again)["group_license"]["id"] != item(view)["id"]
    assert item(again)["requested"] == 9
    await finished(engine, tenant, again.id)
    assert await seats_of(database, tenant) == {("photo", name): ("active", ["g"]) for name in NAMES}
    assert await pools_of(database, tenant) == {"photo": (9, 0, 0)}


async def test_a_grant_that_is_deleted_without_its_members_leaves_them_their_seats(database, tenant, engine):
    await crowd(engine, tenant)
    await apply(engine, tenant, assign("photo", "p3"))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    view = await begin(engine, tenant, await removing(database, tenant, "g", "photo", remove_users=False))
    await finished(engine, tenant, view.id)
    assert await seats_of(database, tenant) == {("photo", name): ("active", ["direct"]) for name in NAMES}
    assert await grants_of(database, tenant) == {}


async def test_seats_for_many_who_wait_are_given_in_chunks(database, tenant, engine, monkeypatch):
    monkeypatch.setattr("workers.settling.MOST", 2)
    await crowd(engine, tenant, capacity=1)
    first = await begin(engine, tenant, await giving(database, tenant, "g", "photo", shortage="waitlist"))
    await finished(engine, tenant, first.id)
    await apply(engine, tenant, join("h", "p0"))
    second = await begin(engine, tenant, await giving(database, tenant, "h", "photo", shortage="waitlist"))
    await finished(engine, tenant, second.id)
    assert await pools_of(database, tenant) == {"photo": (1, 8, 8)}
