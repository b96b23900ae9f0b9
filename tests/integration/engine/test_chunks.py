"""Large groups: what does not fit into a pass goes on in chunks, and nobody who looks in between sees anything wrong."""

import pytest

from tests.support.engine import Engine, events_of, state_of
from tests.support.license_state import continuations, license_state_of
from tests.support.oracle import assert_sound
from tests.support.running import apply, assert_running_sound, begin, giving, view_of
from tests.support.seats import (
    grants_of,
    groups,
    join,
    people,
    pools_of,
    program,
    put,
    seats_of,
)

NAMES = [f"p{n}" for n in range(9)]


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


async def crowd(engine, tenant, *, members=NAMES, group="g", capacity=20):
    """Everybody is there; these are in the group."""
    await apply(
        engine, tenant, people(*NAMES), groups("g", "h"), put(program("photo", capacity)), join(group, *members)
    )


async def finished(engine, tenant, number):
    """Run to the end, looking after every chunk whether all is well."""
    while len(engine.ready) or len(engine.lane):
        await engine.turn()
        await engine.chunk()
        await assert_running_sound(engine.database, tenant)
    assert await continuations(engine.database, tenant.id) == []
    state = await state_of(engine.database, tenant.id) | await license_state_of(engine.database, tenant.id)
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
