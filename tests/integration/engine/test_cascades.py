"""Groups, roles and licences deleted with all that they give: gone at once, taken from people in chunks."""

from itertools import permutations

import pytest

from domain.commands import DeleteGroups, DeleteRoles, DeleteUsers, PutRoles, RolePut
from domain.license_commands import DeleteLicenses
from tests.support.engine import Engine, add_tenant, events_of, state_of
from tests.support.license_state import continuations
from tests.support.oracle import assert_sound
from tests.support.running import apply, assert_running_sound, begin, giving, removing, view_of
from tests.support.seats import assign, grants_of, groups, join, people, pools_of, program, put, seats_of

NAMES = [f"p{n}" for n in range(9)]
CASCADES = {
    "group": DeleteGroups(keys=("g",), cascade=True),
    "role": DeleteRoles(keys=("lead",), cascade=True),
    "licence": DeleteLicenses(keys=("photo",), cascade=True),
}


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


@pytest.fixture
async def crowd(database, tenant):
    """Nine people with a role in `g` and, in part, in `h`; both have the licence, and some have it themselves."""
    engine = Engine(database)
    lead = PutRoles(items=(RolePut(key="lead", permission_scope="USER_GROUPS", titles={"en": "Lead"}),))
    await apply(engine, tenant, people(*NAMES), groups("g", "h"), lead, put(program("photo", 20)))
    await apply(engine, tenant, join("g", *NAMES, role="lead"), join("g", "p0", "p1"), join("h", "p1", "p2"))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await begin(engine, tenant, await giving(database, tenant, "h", "photo"))
    await apply(engine, tenant, assign("photo", "p3", "stranger@example.org"))


async def finished(engine, tenant, number):
    for _ in range(60):
        await engine.turn()
        await engine.chunk()
        await assert_running_sound(engine.database, tenant)
        if not len(engine.ready) and not len(engine.lane):
            break
    assert await continuations(engine.database, tenant.id) == []
    state = await state_of(engine.database, tenant.id)
    assert_sound(state, await events_of(engine.database, tenant.id))
    return await view_of(engine, tenant, number)


async def types_of(engine, tenant, number):
    return [event["type"] for event in await events_of(engine.database, tenant.id) if event["operation"] == str(number)]


async def test_a_large_group_is_gone_at_once_and_its_members_in_chunks(database, tenant, engine, crowd):
    view = await begin(engine, tenant, CASCADES["group"])
    assert (view.status.value, view.done, view.total) == ("running", 2, 9)
    assert set((await state_of(database, tenant.id))["groups"]) == {"h"}
    assert set(await grants_of(database, tenant)) == {("h", "photo")}
    [again] = await apply(engine, tenant, groups("g"))
    assert again.response["items"][0]["outcome"] == "created"
    view = await finished(engine, tenant, view.id)
    assert (view.status.value, view.done) == ("succeeded", view.total)
    assert await seats_of(database, tenant) == {
        ("photo", "p1"): ("active", ["h"]),
        ("photo", "p2"): ("active", ["h"]),
        ("photo", "p3"): ("active", ["direct"]),
        ("photo", "stranger@example.org"): ("active", ["direct"]),
    }
    types = await types_of(engine, tenant, view.id)
    assert (types.count("group_assignment.deleted"), types.count("group.deleted")) == (11, 1)
    assert types[-1] == "operation.finished"


async def test_the_role_of_many_goes_and_only_who_has_no_other_leaves(database, tenant, engine, crowd):
    view = await begin(engine, tenant, CASCADES["role"])
    assert (view.status.value, view.done, view.total) == ("running", 2, 9)
    assert (await finished(engine, tenant, view.id)).status.value == "succeeded"
    held = (await state_of(database, tenant.id))["assignments"]
    assert set(held) == {("g", "p0", "member"), ("g", "p1", "member"), ("h", "p1", "member"), ("h", "p2", "member")}
    assert await seats_of(database, tenant) == {
        ("photo", "p0"): ("active", ["g"]),
        ("photo", "p1"): ("active", ["g", "h"]),
        ("photo", "p2"): ("active", ["h"]),
        ("photo", "p3"): ("active", ["direct"]),
        ("photo", "stranger@example.org"): ("active", ["direct"]),
    }


async def test_a_licence_is_gone_at_once_and_from_people_in_chunks(database, tenant, engine, crowd):
    view = await begin(engine, tenant, CASCADES["licence"])
    assert (view.status.value, view.done, view.total) == ("running", 2, 10)
    assert await pools_of(database, tenant) == {}
    [again] = await apply(engine, tenant, put(program("photo", 3)))
    assert again.response["items"][0]["created"]
    [asked] = await apply(engine, tenant, assign("photo", "p8"))
    assert asked.response["items"][0]["outcome"] == "seat"
    assert (await finished(engine, tenant, view.id)).status.value == "succeeded"
    assert await seats_of(database, tenant) == {("photo", "p8"): ("active", ["direct"])}
    assert await grants_of(database, tenant) == {}
    types = await types_of(engine, tenant, view.id)
    assert (types.count("entitlement.revoked"), types.count("license.updated")) == (10, 1)


@pytest.mark.parametrize("name", CASCADES)
async def test_what_fits_into_a_pass_is_done_in_it(database, tenant, crowd, name):
    engine = Engine(database)
    view = await begin(engine, tenant, CASCADES[name])
    assert view.status.value == "succeeded"
    await finished(engine, tenant, view.id)


@pytest.mark.parametrize("name", CASCADES)
async def test_whoever_is_changed_half_way_is_reached_first(database, tenant, engine, crowd, name):
    view = await begin(engine, tenant, CASCADES[name])
    await apply(engine, tenant, people("p8", active=False), join("h", "p7"))
    await assert_running_sound(database, tenant)
    await apply(engine, tenant, DeleteUsers(keys=("p6",)), people("p5", primary_group="h"))
    await assert_running_sound(database, tenant)
    view = await finished(engine, tenant, view.id)
    assert (view.status.value, view.done) == ("succeeded", view.total)
    users = (await state_of(database, tenant.id))["users"]
    assert (users["p8"]["active"], "p6" in users) == (False, False)


@pytest.mark.parametrize("name", ["group", "licence"])
async def test_a_fan_out_half_way_is_taken_over(database, tenant, engine, name):
    await apply(Engine(database), tenant, people(*NAMES), groups("g"), put(program("photo", 9)), join("g", *NAMES))
    first = await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    second = await begin(engine, tenant, CASCADES[name])
    earlier = await view_of(engine, tenant, first.id)
    assert (earlier.status.value, earlier.superseded_by) == ("succeeded", second.id)
    await finished(engine, tenant, second.id)
    assert await seats_of(database, tenant) == {}


async def test_seats_that_were_being_made_direct_stay_when_their_group_goes(database, tenant, engine, crowd):
    first = await begin(engine, tenant, await removing(database, tenant, "g", "photo", remove_users=False))
    second = await begin(engine, tenant, CASCADES["group"])
    assert (await finished(engine, tenant, first.id)).status.value == "succeeded"
    assert (await finished(engine, tenant, second.id)).status.value == "succeeded"
    seats = await seats_of(database, tenant)
    assert {holder: sources[0] for (_, holder), (_, sources) in seats.items()} == dict.fromkeys(
        [*NAMES, "stranger@example.org"], "direct"
    )


async def test_a_primary_group_that_is_deleted_is_forgotten_by_the_inactive_too(database, tenant, engine):
    await apply(engine, tenant, groups("g"), people(*NAMES[:5], primary_group="g"))
    await apply(engine, tenant, people("p4", primary_group="g", active=False))
    view = await begin(engine, tenant, CASCADES["group"])
    await finished(engine, tenant, view.id)
    assert {user["primary_group"] for user in (await state_of(database, tenant.id))["users"].values()} == {None}


async def test_an_empty_group_takes_its_grants_along_without_a_cascade(database, tenant, engine):
    await apply(engine, tenant, groups("g"), put(program("photo", 9)))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    view = await begin(engine, tenant, DeleteGroups(keys=("g",)))
    assert view.status.value == "succeeded"
    assert await grants_of(database, tenant) == {}
    assert await types_of(engine, tenant, view.id) == ["group_license.updated", "group.deleted", "operation.finished"]


@pytest.mark.parametrize("order", list(permutations(CASCADES)))
async def test_cascades_that_meet_leave_nothing_behind(database, tenant, engine, crowd, order):
    views = [await begin(engine, tenant, CASCADES[name]) for name in order]
    for view in views:
        assert (await finished(engine, tenant, view.id)).status.value == "succeeded"
    assert await seats_of(database, tenant) == {}
    assert await grants_of(database, tenant) == {}
    assert set((await state_of(database, tenant.id))["assignments"]) == {("h", "p1", "member"), ("h", "p2", "member")}


async def test_another_tenants_group_of_the_same_key_is_left_alone(database, tenant, engine, crowd):
    other = await add_tenant(database)
    await apply(engine, other, people(*NAMES), groups("g"), join("g", *NAMES))
    before = await state_of(database, other.id)
    view = await begin(engine, tenant, CASCADES["group"])
    await begin(engine, other, DeleteGroups(keys=("g",)))
    await finished(engine, tenant, view.id)
    assert await state_of(database, other.id) == before


async def test_who_joins_a_new_group_of_the_same_key_stays_in_it(database, tenant, engine, crowd):
    view = await begin(engine, tenant, CASCADES["group"])
    await apply(engine, tenant, groups("g"), join("g", "p0", "p8"))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await finished(engine, tenant, view.id)
    assert (await state_of(database, tenant.id))["members"] >= {("g", "p0"), ("g", "p8")}
    assert (await seats_of(database, tenant))["photo", "p8"] == ("active", ["g"])


async def test_whoever_is_about_to_lose_a_seat_with_their_group_needs_one_elsewhere(database, tenant, engine):
    members = NAMES[4:]
    await apply(engine, tenant, people(*NAMES), groups("g", "h"), put(program("photo", 20)), join("g", *NAMES))
    await begin(Engine(database), tenant, await giving(database, tenant, "g", "photo"))
    await apply(engine, tenant, join("h", *members))
    await begin(engine, tenant, CASCADES["group"])
    view = await begin(engine, tenant, await giving(database, tenant, "h", "photo"))
    assert view.response["items"][0]["requested"] == len(members)
    await finished(engine, tenant, view.id)
    assert await seats_of(database, tenant) == {("photo", name): ("active", ["h"]) for name in members}
