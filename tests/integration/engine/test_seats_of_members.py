"""Licences that groups give: joins, leaves, deactivated and deleted people, and addresses that find their person."""

import pytest

from domain.commands import DeleteUsers, PutUsers, UserPut
from infra.postgres.seat_names import find_licenses
from tests.support.directory_commands import put_roles
from tests.support.engine import events_of
from tests.support.seats import (
    assign,
    bundle,
    grant,
    grants_of,
    groups,
    join,
    leave,
    outcomes,
    people,
    pools_of,
    program,
    put,
    seats_of,
    setting,
    unassign,
)


@pytest.fixture
async def told(database, tenant):
    """The events of licences since the last call, as (type, subject)."""
    seen = 0

    async def since():
        nonlocal seen
        events = await events_of(database, tenant.id, after=seen)
        seen = events[-1]["sequence"] if events else seen
        kinds = ("entitlement.", "license", "group_license")
        return [(event["type"], event["subject"]) for event in events if event["type"].startswith(kinds)]

    return since


@pytest.fixture
async def carrier(engine, database, tenant, told):
    """The groups `g` and `h` both give licence `a`, of two seats, and `g` gives `b`, without limit."""
    await outcomes(
        engine,
        tenant,
        people("ann", "ben", "cat", "dan"),
        groups("g", "h"),
        put(program("a", 2), program("b", None)),
    )
    for group, license_key in (("g", "a"), ("g", "b"), ("h", "a")):
        await grant(database, tenant, group, license_key)
    await told()


def put_ann(**fields):
    return PutUsers(items=(UserPut(key="ann", username="ann", **fields),))


async def test_who_joins_is_given_what_the_group_gives(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, join("g", "ann"))
    assert await seats_of(database, tenant) == {("a", "ann"): ("active", ["g"]), ("b", "ann"): ("active", ["g"])}
    assert await pools_of(database, tenant) == {"a": (1, 0, 0), "b": (1, 0, 0)}
    assert (await grants_of(database, tenant))["g", "a"] == (1, 1, 0, 0)
    assert await told() == [
        ("entitlement.granted", "licenses/a/users/ann"),
        ("entitlement.granted", "licenses/b/users/ann"),
        ("group_license.updated", "groups/g/licenses/a"),
        ("group_license.updated", "groups/g/licenses/b"),
    ]


async def test_a_second_role_changes_nothing(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, join("g", "ann"))
    await told()
    await outcomes(engine, tenant, put_roles(1), join("g", "ann", role="r0"), leave("g", "ann"))
    assert await told() == []
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", ["g"])


async def test_who_finds_no_seat_waits_and_is_served_when_somebody_leaves(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, join("g", "ann", "ben", "cat"))
    assert (await seats_of(database, tenant))["a", "cat"] == ("queued", ["g"])
    await told()
    await outcomes(engine, tenant, leave("g", "ben"))
    assert await told() == [
        ("entitlement.revoked", "licenses/a/users/ben"),
        ("entitlement.revoked", "licenses/b/users/ben"),
        ("entitlement.granted", "licenses/a/users/cat"),
        ("group_license.updated", "groups/g/licenses/a"),
        ("group_license.updated", "groups/g/licenses/b"),
    ]
    assert (await grants_of(database, tenant))["g", "a"] == (2, 2, 0, 0)


async def test_a_person_in_two_groups_holds_one_seat_until_the_last_source_goes(engine, database, tenant, carrier):
    await outcomes(engine, tenant, join("g", "ann"), join("h", "ann"), assign("a", "ann"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", ["direct", "g", "h"])
    assert (await pools_of(database, tenant))["a"] == (1, 0, 0)
    await outcomes(engine, tenant, leave("g", "ann"), unassign("a", "ann"))
    assert await seats_of(database, tenant) == {("a", "ann"): ("active", ["h"])}
    await outcomes(engine, tenant, leave("h", "ann"))
    assert await seats_of(database, tenant) == {}
    assert (await pools_of(database, tenant))["a"] == (0, 0, 0)


async def test_moving_between_groups_that_give_the_same_keeps_the_seat(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, put_ann(primary_group="g"), join("h", "ben", "cat"))
    await told()
    await outcomes(engine, tenant, put_ann(primary_group="h"))
    assert await told() == [
        ("entitlement.revoked", "licenses/b/users/ann"),
        ("license_assignment.updated", "licenses/a/users/ann"),
        ("group_license.updated", "groups/g/licenses/a"),
        ("group_license.updated", "groups/g/licenses/b"),
        ("group_license.updated", "groups/h/licenses/a"),
    ]
    assert (await seats_of(database, tenant))["a", "cat"] == ("queued", ["h"])


async def test_an_inactive_person_holds_nothing_and_direct_seats_are_asked_for_anew(engine, database, tenant, carrier):
    await outcomes(engine, tenant, put_ann(primary_group="g"), assign("a", "ann", "ben"), join("h", "cat"))
    await outcomes(engine, tenant, put_ann(primary_group="g", active=False))
    assert await seats_of(database, tenant) == {
        ("a", "ann"): ("parked", ["direct"]),
        ("a", "ben"): ("active", ["direct"]),
        ("a", "cat"): ("active", ["h"]),
    }
    assert (await pools_of(database, tenant))["a"] == (2, 0, 1)
    await outcomes(engine, tenant, put_ann(primary_group="g"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("queued", ["direct", "g"])
    await outcomes(engine, tenant, unassign("a", "ben"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", ["direct", "g"])


async def test_a_suspended_seat_stays_so_when_groups_come_and_go(engine, database, tenant, carrier):
    (first,) = await outcomes(engine, tenant, assign("a", "ann"))
    number, ann = first["seat"]["license"]["id"], first["seat"]["user"]["id"]
    await outcomes(engine, tenant, setting(number, ann, active=False), join("g", "ann"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("suspended", ["direct", "g"])
    assert (await grants_of(database, tenant))["g", "a"] == (1, 0, 0, 1)
    await outcomes(engine, tenant, unassign("a", "ann"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", ["g"])


async def test_what_only_groups_give_is_not_taken_directly(engine, database, tenant, carrier):
    group, *_ = await outcomes(engine, tenant, groups("g"), join("g", "ann"))
    (given,) = await outcomes(
        engine, tenant, setting(await _id(database, tenant), email="ann@example.org", direct=False)
    )
    number, ann = given["seat"]["license"]["id"], given["seat"]["user"]["id"]
    refused = await outcomes(engine, tenant, unassign("a", "ann"), setting(number, ann, active=False))
    assert [item["code"] for item in refused] == ["INHERITED_ASSIGNMENT"] * 2
    assert refused[0]["details"] == {"groups": [{"id": group["id"], "key": "g"}]}
    assert (given["created"], given["seat"]["direct"]) == (False, False)


async def test_a_deleted_person_leaves_nothing(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, join("g", "ann", "ben", "cat"), assign("a", "ann"))
    await told()
    await outcomes(engine, tenant, DeleteUsers(keys=("ann",)))
    assert ("a", "ann") not in await seats_of(database, tenant)
    assert await told() == [
        ("entitlement.revoked", "licenses/a/users/ann"),
        ("entitlement.revoked", "licenses/b/users/ann"),
        ("entitlement.granted", "licenses/a/users/cat"),
        ("group_license.updated", "groups/g/licenses/a"),
        ("group_license.updated", "groups/g/licenses/b"),
    ]


async def test_an_address_finds_its_person(engine, database, tenant, carrier, told):
    (made,) = await outcomes(engine, tenant, assign("a", "Eve@x.example"))
    await told()
    await outcomes(engine, tenant, PutUsers(items=(UserPut(key="eve", username="eve", email="eve@X.example"),)))
    assert await told() == [("license_assignment.updated", "licenses/a/users/eve")]
    (again,) = await outcomes(engine, tenant, assign("a", "eve"))
    assert again["seat"]["id"] == made["seat"]["id"]
    assert (again["seat"]["email"], again["seat"]["fulfilled"]) == (None, True)


async def test_an_address_merges_into_what_its_person_has(engine, database, tenant, carrier, told):
    number = await _id(database, tenant)
    await outcomes(
        engine,
        tenant,
        setting(number, email="eve@x.example", redirect_to="https://x.example/", metadata={"a": 1}),
        join("g", "ann", "ben"),
        PutUsers(items=(UserPut(key="cat", username="cat", email="eve@x.example"),)),
        join("h", "cat"),
    )
    assert (await seats_of(database, tenant))["a", "cat"] == ("active", ["direct", "h"])
    (made,) = await outcomes(engine, tenant, assign("a", "dan@x.example", wait=True))
    await outcomes(engine, tenant, join("h", "dan"))
    await told()
    await outcomes(engine, tenant, PutUsers(items=(UserPut(key="dan", username="dan", email="dan@x.example"),)))
    assert (
        await told()
        == [
            ("entitlement.revoked", f"licenses/a/assignments/{made['seat']['id']}"),
            ("license_assignment.updated", "licenses/a/users/dan"),
            ("group_license.updated", "groups/h/licenses/a"),
        ][:2]
    )
    assert (await pools_of(database, tenant))["a"] == (2, 2, 2)


async def test_an_address_whose_person_joins_at_the_same_time_keeps_its_row(engine, database, tenant, carrier, told):
    await outcomes(engine, tenant, people("ann", email=False), assign("a", "ann@example.org"))
    await told()
    await outcomes(engine, tenant, put_ann(email="ann@example.org", primary_group="g"))
    assert await told() == [
        ("entitlement.granted", "licenses/b/users/ann"),
        ("license_assignment.updated", "licenses/a/users/ann"),
        ("group_license.updated", "groups/g/licenses/a"),
        ("group_license.updated", "groups/g/licenses/b"),
    ]
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", ["direct", "g"])


async def test_members_beyond_a_quota_wait_for_a_place_in_it(engine, database, tenant, told):
    await outcomes(engine, tenant, people("ann", "ben", "cat"), groups("g"), put(bundle("k", "IDU", 10)))
    await grant(database, tenant, "g", "k", quota=1)
    await outcomes(engine, tenant, join("g", "cat", "ann"), join("g", "ben"))
    assert await seats_of(database, tenant) == {
        ("k", "cat"): ("active", ["g"]),
        ("k", "ann"): ("blocked", ["g blocked"]),
        ("k", "ben"): ("blocked", ["g blocked"]),
    }
    assert await grants_of(database, tenant) == {("g", "k"): (1, 1, 2, 0)}
    await told()
    await outcomes(engine, tenant, leave("g", "cat"))
    assert await told() == [
        ("entitlement.revoked", "licenses/k/users/cat"),
        ("entitlement.granted", "licenses/k/users/ann"),
        ("group_license.updated", "groups/g/licenses/k"),
    ]
    await outcomes(engine, tenant, assign("k", "ben"))
    assert (await seats_of(database, tenant))["k", "ben"] == ("active", ["direct", "g blocked"])


async def _id(database, tenant):
    async with database.transaction() as tx:
        return (await find_licenses(tx, [(tenant.id, "a")]))[tenant.id, "a"]
