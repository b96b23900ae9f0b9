"""Direct assignments of licences through the real engine: seats, waiting lists, refusals, and what is announced."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.license_commands import DeleteLicenses
from tests.support.engine import events_of
from tests.support.seats import (
    assign,
    outcomes,
    people,
    pools_of,
    program,
    put,
    removing,
    seats_of,
    setting,
    unassign,
)

DIRECT = ["direct"]


@pytest.fixture
async def told(database, tenant):
    """The events since the last call, as (type, subject)."""
    seen = 0

    async def since():
        nonlocal seen
        events = await events_of(database, tenant.id, after=seen)
        seen = events[-1]["sequence"] if events else seen
        return [(event["type"], event["subject"]) for event in events if event["type"] != "operation.finished"]

    return since


@pytest.fixture
async def two_seats(engine, tenant, told):
    """A pool of two seats and four people; returns the ids by key."""
    items = await outcomes(engine, tenant, people("ann", "ben", "cat", "dan"), put(program("a", 2)))
    await told()
    return {item["key"]: item["id"] for item in items if "key" in item} | {"a": items[-1]["license"]["id"]}


async def test_a_seat_is_given_once_and_shown(engine, database, tenant, two_seats, told):
    first, again = await outcomes(engine, tenant, assign("a", "ann"), assign("a", "ann"))
    assert (first["created"], again["created"]) == (True, False)
    assert first["seat"] == again["seat"]
    assert first["seat"] | {"created_at": 0, "modified_at": 0} == {
        "id": first["seat"]["id"],
        "state": "active",
        "user": {
            "id": two_seats["ann"],
            "key": "ann",
            "username": "ann",
            "first_name": "",
            "last_name": "",
            "email": "ann@example.org",
            "active": True,
        },
        "email": None,
        "license": {
            "id": two_seats["a"],
            "key": "a",
            "name": "A",
            "kind": "program",
            "program_key": "photo",
            "program_name": "Photo",
            "starts_at": None,
        },
        "direct": True,
        "groups": [],
        "redirect_to": None,
        "metadata": None,
        "created_at": 0,
        "modified_at": 0,
        "fulfilled": True,
    }
    assert await pools_of(database, tenant) == {"a": (1, 0, 0)}
    assert await told() == [("entitlement.granted", "licenses/a/users/ann")]


async def test_the_last_seats_go_to_the_first_and_the_others_are_refused(engine, database, tenant, two_seats, told):
    items = await outcomes(engine, tenant, assign("a", "ann", "ben", "cat"))
    assert items[2]["code"] == "NOT_ENOUGH_SEATS"
    assert items[2]["details"] == {"requested": 1, "available": 0}
    assert [item.get("available") for item in items] == [2, 1, None]
    assert await told() == [
        ("entitlement.granted", "licenses/a/users/ann"),
        ("entitlement.granted", "licenses/a/users/ben"),
        ("license.utilisation", "licenses/a"),
        ("license.utilisation", "licenses/a"),
        ("license.exhausted", "licenses/a"),
    ]


async def test_who_waits_is_next_in_the_order_of_asking(engine, database, tenant, two_seats, told):
    items = await outcomes(engine, tenant, assign("a", "ann", "ben"), assign("a", "dan", wait=True))
    items += await outcomes(engine, tenant, assign("a", "cat", wait=True))
    assert [item["seat"].get("position") for item in items] == [None, None, 1, 2]
    await told()
    await outcomes(engine, tenant, unassign("a", "ann"))
    assert await told() == [
        ("entitlement.revoked", "licenses/a/users/ann"),
        ("entitlement.granted", "licenses/a/users/dan"),
    ]
    await outcomes(engine, tenant, put(program("a", 3)))
    assert await told() == [("license.updated", "licenses/a"), ("entitlement.granted", "licenses/a/users/cat")]
    assert await pools_of(database, tenant) == {"a": (3, 0, 0)}


async def test_within_an_operation_people_wait_in_the_order_of_their_ids(engine, database, tenant, two_seats):
    items = await outcomes(engine, tenant, assign("a", "dan", "cat", "ben", "ann", wait=True))
    assert [item["seat"].get("position") for item in items] == [None, None, 1, 1]
    await outcomes(engine, tenant, unassign("a", "dan"))
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", DIRECT)


async def test_capacity_does_not_fall_below_the_seats_in_use(engine, tenant, two_seats):
    *_, refused = await outcomes(engine, tenant, assign("a", "ann", "ben"), put(program("a", 1)))
    assert (refused["code"], refused["details"]) == ("COUNT_BELOW_USAGE", {"used": 2})


async def test_an_inactive_pool_gives_nobody_a_seat_and_takes_nobody_s(engine, database, tenant, two_seats, told):
    await outcomes(engine, tenant, assign("a", "ann"), put(program("a", 1)), assign("a", "ben", wait=True))
    await outcomes(engine, tenant, put(program("a", 3, active=False)))
    (refused,) = await outcomes(engine, tenant, assign("a", "cat", wait=True))
    assert refused["code"] == "LICENSE_IS_NOT_ACTIVE"
    assert await pools_of(database, tenant) == {"a": (1, 1, 1)}
    await told()
    await outcomes(engine, tenant, put(program("a", 3)))
    assert await told() == [
        ("license.updated", "licenses/a"),
        ("entitlement.granted", "licenses/a/users/ben"),
        ("license.available", "licenses/a"),
    ]


async def test_an_expired_licence_is_given_to_nobody(engine, tenant, two_seats):
    past, later = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    *_, expired = await outcomes(engine, tenant, put(program("a", 2, expires_at=past)), assign("a", "ann"))
    *_, early = await outcomes(engine, tenant, put(program("a", 2, starts_at=later)), assign("a", "ann"))
    assert expired["code"] == "LICENSE_EXPIRED"
    assert (early["seat"]["state"], early["seat"]["fulfilled"]) == ("active", False)


async def test_setting_updates_only_what_is_sent(engine, tenant, two_seats, told):
    license_id, ann = two_seats["a"], two_seats["ann"]
    created, same, cleared = await outcomes(
        engine,
        tenant,
        setting(license_id, ann, redirect_to="https://x.example/", metadata={"a": 1.0}),
        setting(license_id, ann),
        setting(license_id, ann, metadata=None),
    )
    assert created["seat"] == same["seat"]
    assert (cleared["seat"]["redirect_to"], cleared["seat"]["metadata"]) == ("https://x.example/", None)
    assert [name for name, _ in await told()] == ["entitlement.granted", "license_assignment.updated"]


async def test_a_suspended_seat_is_given_back_and_asked_for_anew(engine, database, tenant, two_seats, told):
    license_id, ann = two_seats["a"], two_seats["ann"]
    await outcomes(engine, tenant, assign("a", "ann", "ben"), assign("a", "cat", wait=True))
    await told()
    suspended, again, revived = await outcomes(
        engine,
        tenant,
        setting(license_id, ann, active=False),
        setting(license_id, ann),
        setting(license_id, ann, active=True),
    )
    assert (suspended["seat"]["state"], again["seat"]["state"]) == ("suspended", "suspended")
    assert revived["code"] == "NOT_ENOUGH_SEATS"
    assert await told() == [
        ("entitlement.revoked", "licenses/a/users/ann"),
        ("entitlement.granted", "licenses/a/users/cat"),
    ]
    await outcomes(engine, tenant, unassign("a", "cat"), setting(license_id, ann, active=True))
    assert (await seats_of(database, tenant))["a", "ann"] == ("active", DIRECT)


async def test_a_seat_made_inactive_holds_none(engine, database, tenant, two_seats, told):
    (made,) = await outcomes(engine, tenant, setting(two_seats["a"], two_seats["ann"], active=False))
    assert (made["created"], made["seat"]["state"]) == (True, "suspended")
    assert await pools_of(database, tenant) == {"a": (0, 0, 0)}
    assert await told() == [("license_assignment.updated", "licenses/a/users/ann")]


async def test_an_address_holds_a_seat_of_its_own(engine, database, tenant, two_seats, told):
    first, other = await outcomes(
        engine, tenant, assign("a", "New@x.example"), setting(two_seats["a"], email="new@X.example", metadata={})
    )
    assert (first["created"], other["created"]) == (True, False)
    assert (other["seat"]["email"], other["seat"]["user"], other["seat"]["fulfilled"]) == ("New@x.example", None, False)
    assert [name for name, _ in await told()] == ["entitlement.granted", "license_assignment.updated"]
    (removed,) = await outcomes(engine, tenant, unassign("a", "new@x.example"))
    assert (removed["outcome"], removed["email"], removed["user"]) == ("seat_removed", "New@x.example", None)
    assert await seats_of(database, tenant) == {}


async def test_a_person_is_found_by_any_name_and_else_by_address(engine, database, tenant, two_seats):
    license_id = two_seats["a"]
    items = await outcomes(
        engine,
        tenant,
        setting(license_id, email="ANN@example.org"),
        setting(license_id, username="ANN"),
        setting(license_id, 0, email="ben@example.org"),
        setting(license_id, 0),
        setting(license_id, username="nobody"),
    )
    assert [item["seat"]["user"]["key"] for item in items[:3]] == ["ann", "ann", "ben"]
    assert [(item["code"], item["field"]) for item in items[3:]] == [
        ("USER_DOES_NOT_EXIST", "user_id"),
        ("USER_DOES_NOT_EXIST", "username"),
    ]


async def test_refusals_come_in_the_order_of_the_contract(engine, tenant, stranger, two_seats):
    await outcomes(engine, tenant, people("idle", active=False))
    foreign, *_ = await outcomes(engine, stranger, put(program("a")))
    items = await outcomes(
        engine,
        tenant,
        assign("none", "nobody"),
        assign("a", "nobody"),
        assign("a", "idle"),
        setting(foreign["license"]["id"], two_seats["ann"]),
        unassign("a", "ann"),
        removing(0),
        setting(two_seats["a"], two_seats["ann"], direct=False),
    )
    assert [(item["code"], item.get("field")) for item in items] == [
        ("LICENSE_DOES_NOT_EXIST", "license"),
        ("USER_DOES_NOT_EXIST", "user"),
        ("USER_IS_NOT_ACTIVE", "user"),
        ("LICENSE_DOES_NOT_EXIST", "license_id"),
        ("LICENSE_ASSIGNMENT_DOES_NOT_EXIST", None),
        ("LICENSE_ASSIGNMENT_DOES_NOT_EXIST", "assignment_id"),
        ("NO_GROUP_SOURCE", "direct"),
    ]


async def test_an_assignment_is_removed_by_its_id_but_not_by_a_stranger(engine, database, tenant, stranger, two_seats):
    (made,) = await outcomes(engine, tenant, assign("a", "ann"))
    (foreign,) = await outcomes(engine, stranger, removing(made["seat"]["id"]))
    removed, gone = await outcomes(engine, tenant, removing(made["seat"]["id"]), removing(made["seat"]["id"]))
    assert foreign["code"] == gone["code"] == "LICENSE_ASSIGNMENT_DOES_NOT_EXIST"
    assert removed["license"] == {"id": two_seats["a"], "key": "a"}
    assert await pools_of(database, tenant) == {"a": (0, 0, 0)}


async def test_a_licence_somebody_has_is_not_deleted(engine, tenant, two_seats):
    *_, refused = await outcomes(engine, tenant, assign("a", "ann"), DeleteLicenses(keys=("a",)))
    assert refused["code"] == "LICENSE_IN_USE"
