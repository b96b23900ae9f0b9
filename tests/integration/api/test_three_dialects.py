"""One engine behind four doors: what one gives, the others show, and the pages' own requests work as they stand."""

import asyncio
from collections import Counter

import pytest

from tests.support.api import Api, groups, people, roles, serving
from workers.main import Worker

ACCOUNT = "/acme-org/lease_/api/account/acme/user-license"
PROGRAM = "/api/catalog/licenses/program"
USERS = "/api/admin/users/v4/user-groups"
TEAM = ["ada", "bo", "cy"]
# As it stands on the account page.
PAGE_BODY = '{\n    "userBundleCodes": ["RPADEVPRONU", "IDU", "CTZDEVCU"], \n    "useExternalLicense": false\n}'


@pytest.fixture
async def api(database_url):
    """People, the empty group `group-01`, the role `trainer`; all else goes in over HTTP."""
    async with serving(database_url) as api:
        await api.arrange_together(groups("group-01"), people(*TEAM, "di"), roles("trainer", en="Trainer"))
        yield api


async def done(api: Api, method, path, body=None, *, status=200, **options):
    response = await api.call(method, path, body, **options)
    assert response.status_code == status, f"{method} {path}: {response.text}"
    return response.json() if response.content else None


async def pool(api, key, capacity, **fields):
    """A pool, as PUT /v1/licenses shows it."""
    return await done(api, "PUT", f"/v1/licenses/{key}", {"name": key, "capacity": capacity, **fields}, status=201)


async def bundle(api, code, capacity):
    return await pool(api, code.lower(), capacity, kind="bundle", code=code)


async def program(api, key, capacity):
    return await pool(api, key, capacity, kind="program", program_key=key, program_name=key.title())


async def join(api, *users):
    items = [{"group_id": "group-01", "body": {"role_id": "trainer", "user_id": user}} for user in users]
    results = await done(api, "POST", f"{USERS}/assignments/batch", {"items": items})
    assert [result["status"] for result in results["items"]] == [201] * len(users)


async def leave(api, user):
    await done(api, "DELETE", f"{USERS}/group-01/assignments/{user}/trainer")


async def group_id(api):
    return (await done(api, "GET", "/v1/groups/group-01"))["id"]


async def entitlements(api, **filters):
    """By person and licence: the state, and the sources."""
    page = await done(api, "GET", "/v1/entitlements", params=filters)
    assert page["next_cursor"] is None
    return {
        (one["user"]["key"], one["license"]["key"]): (
            one["state"],
            sorted(source.get("group", {}).get("key", "direct") for source in one["sources"]),
        )
        for one in page["items"]
    }


async def test_a_bundle_of_a_group_follows_the_members_that_the_users_dialect_adds(api):
    await bundle(api, "IDU", 3)
    await join(api, "ada", "bo")
    allocated = await api.call("PUT", f"{ACCOUNT}/group/group-01", {"userBundleCodes": ["IDU"]})
    operation = allocated.headers["Seatline-Operation"]
    assert await entitlements(api) == {(user, "idu"): ("active", ["group-01"]) for user in ("ada", "bo")}
    reasons = await done(api, "GET", "/v1/entitlements", params={"user": "ada", "license": "idu"})
    assert reasons["items"][0]["sources"][0]["operation_id"] == operation

    await join(api, "cy", "di")
    assert await entitlements(api, license="idu", state="active") == {
        (user, "idu"): ("active", ["group-01"]) for user in TEAM
    }
    assert await entitlements(api, group="group-01", state="waiting") == {("di", "idu"): ("waiting", ["group-01"])}
    assert await done(api, "GET", ACCOUNT) == [{"code": "IDU", "total": 3, "allocated": 3, "inUse": 3}]

    await leave(api, "ada")
    assert await entitlements(api) == {(user, "idu"): ("active", ["group-01"]) for user in ("bo", "cy", "di")}
    members = await done(api, "GET", f"{ACCOUNT}/group/group-01/bulk-users")
    assert [one["id"] for one in members["results"]] == ["bo", "cy", "di"]


async def test_a_program_licence_of_a_group_is_one_pool_for_every_door(api):
    licence = await program(api, "piano", 3)
    await join(api, *TEAM)
    body = {"license_id": licence["id"], "group_id": await group_id(api)}
    given = await done(api, "POST", f"{PROGRAM}/assignment/group/", body)
    assert (given["user_count"], given["assigned_count"], given["fulfilled"]) == (3, 3, True)
    listed = await done(api, "GET", f"{PROGRAM}/", params={"name": "piano"})
    assert [(one["count"], one["usage_count"]) for one in listed["results"]] == [(3, 3)]
    assert (await done(api, "GET", "/v1/licenses/piano"))["used"] == 3
    assert set(await entitlements(api, license="piano")) == {(user, "piano") for user in TEAM}

    refused = await api.call("POST", f"{PROGRAM}/assignment/", {"license_id": licence["id"], "user_id": 1_000_000})
    assert refused.json()["code"] == "USER_DOES_NOT_EXIST"
    person = (await done(api, "GET", "/v1/users/di"))["id"]
    refused = await api.call("POST", f"{PROGRAM}/assignment/", {"license_id": licence["id"], "user_id": person})
    assert (refused.status_code, refused.json()["code"]) == (400, "NOT_ENOUGH_SEATS")
    await leave(api, "bo")
    assigned = await done(api, "POST", f"{PROGRAM}/assignment/", {"license_id": licence["id"], "user_id": person})
    assert (assigned["direct"], assigned["fulfilled"]) == (True, True)
    assert await entitlements(api, user="di") == {("di", "piano"): ("active", ["direct"])}


async def test_a_person_with_every_kind_of_source_holds_one_seat(api):
    await bundle(api, "IDU", 2)
    await join(api, "ada")
    await done(api, "PUT", f"{ACCOUNT}/group/group-01", {"userBundleCodes": ["IDU"]})
    await done(api, "PUT", ACCOUNT, {"userIds": ["ada"], "userBundleCodes": ["IDU"]})
    assert await entitlements(api) == {("ada", "idu"): ("active", ["direct", "group-01"])}
    results = await done(
        api,
        "POST",
        "/v1/license-assignments:batch",
        {"items": [{"op": "assign", "license": "idu", "user": user} for user in ("ada", "bo", "cy")]},
    )
    assert [result["status"] for result in results["items"]] == [200, 201, 409]
    assert await done(api, "GET", ACCOUNT) == [{"code": "IDU", "total": 2, "allocated": 2, "inUse": 2}]
    await leave(api, "ada")
    await done(api, "PUT", ACCOUNT, {"userIds": ["ada", "bo"], "userBundleCodes": []})
    assert await entitlements(api) == {}


async def test_kinds_keep_to_their_doors(api):
    licence = await bundle(api, "IDU", 2)
    await program(api, "piano", 3)
    assert [one["code"] for one in await done(api, "GET", ACCOUNT)] == ["IDU"]
    listed = await done(api, "GET", f"{PROGRAM}/")
    assert [one["name"] for one in listed["results"]] == ["piano"]
    for path, named in (("assignment/", "user_id"), ("assignment/group/", "group_id")):
        body = {"license_id": licence["id"], named: await group_id(api)}
        assert (await api.call("POST", f"{PROGRAM}/{path}", body)).status_code == 404
        found = await api.call("GET", f"{PROGRAM}/{path}", params={"license_id": licence["id"]})
        assert (found.status_code, found.json()["code"]) == (404, "LICENSE_DOES_NOT_EXIST")


async def test_a_deactivated_member_gives_bundles_and_programs_back(api):
    await bundle(api, "IDU", 1)
    licence = await program(api, "piano", 1)
    await join(api, "ada")
    await done(api, "PUT", f"{ACCOUNT}/group/group-01", {"userBundleCodes": ["IDU"]})
    await done(
        api, "POST", f"{PROGRAM}/assignment/group/", {"license_id": licence["id"], "group_id": await group_id(api)}
    )
    await join(api, "bo")
    assert Counter(state for state, _ in (await entitlements(api)).values()) == {"active": 2, "waiting": 2}
    await done(api, "PUT", "/v1/users/ada", {"username": "ada", "active": False})
    assert await entitlements(api) == {("bo", key): ("active", ["group-01"]) for key in ("idu", "piano")}
    events = await done(api, "GET", "/v1/events", params={"types": "seatline.entitlement.granted.v1"})
    granted = [(one["data"]["user"]["key"], one["data"]["license"]["key"]) for one in events["events"]]
    assert sorted(granted) == sorted((user, key) for user in ("ada", "bo") for key in ("idu", "piano"))


async def test_the_account_page_s_example_works_as_it_stands(api):
    for code in ("RPADEVPRONU", "IDU", "CTZDEVCU"):
        await bundle(api, code, 10)
    await join(api, *TEAM)
    for method in ("PUT", "POST"):
        response = await api.call(
            method,
            f"{ACCOUNT}/group/group-01",
            content=PAGE_BODY,
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code == 200
        assert response.json() == {
            "groupId": "group-01",
            "organizationId": "acme",
            "useExternalLicense": False,
            "userBundleCodes": ["RPADEVPRONU", "IDU", "CTZDEVCU"],
        }


async def test_the_catalogue_pages_requests_work_with_every_field_they_list(api):
    licence = await program(api, "piano", 10)
    await join(api, *TEAM)
    group = await group_id(api)
    person = await done(api, "PUT", "/v1/users/ada", {"username": "ada", "email": "ada@example.org"})
    shared = {
        "license_id": licence["id"],
        "platform_key": "acme",
        "platform_org": "acme-org",
        "active": True,
        "fulfilled": True,
        "redirect_to": "https://learn.example.org/piano",
        "metadata": {"cohort": 1},
    }
    given = await done(api, "POST", f"{PROGRAM}/assignment/group/", {**shared, "group_id": group})
    assert set(given) >= {
        "id", "group_id", "group_name", "active", "fulfilled", "redirect_to", "metadata", "created", "modified",
        "license_id", "license_name", "program_key", "program_name", "user_count", "assigned_count",
    }  # fmt: skip
    assert (given["group_id"], given["fulfilled"], given["metadata"]) == (group, True, {"cohort": 1})
    names = {"user_id": person["id"], "username": "ada", "email": "ada@example.org", "direct": True}
    assigned = await done(
        api, "POST", f"{PROGRAM}/assignment/", {**shared, **names}, params={"license_id": licence["id"], "page": 1}
    )
    assert set(assigned) >= {
        "id", "user_id", "username", "name", "email", "active", "fulfilled", "direct", "redirect_to", "metadata",
        "created", "modified", "license_id", "license_name", "program_key",
    }  # fmt: skip
    assert (assigned["user_id"], assigned["email"], assigned["direct"]) == (person["id"], "ada@example.org", True)
    assert await entitlements(api, user="ada") == {("ada", "piano"): ("active", ["direct", "group-01"])}


async def test_the_users_page_s_calls_move_seats(api):
    await bundle(api, "IDU", 1)
    await done(api, "PUT", f"{ACCOUNT}/group/group-01", {"userBundleCodes": ["IDU"]})
    created = await done(
        api, "POST", f"{USERS}/group-01/assignments", {"role_id": "trainer", "user_id": "ada"}, status=201
    )
    assert created["user"]["id"] == "ada"
    # A second role is no second seat, and losing one of two loses none.
    await done(api, "POST", f"{USERS}/group-01/assignments", {"role_id": "member", "user_id": "ada"}, status=201)
    await leave(api, "ada")
    assert await entitlements(api) == {("ada", "idu"): ("active", ["group-01"])}
    items = [{"group_id": "group-01", "user_id": "ada", "role_id": "member"}]
    results = await done(api, "DELETE", f"{USERS}/assignments/batch", {"items": items})
    assert [result["status"] for result in results["items"]] == [200]
    assert await entitlements(api) == {}


async def test_two_workers_and_three_doors_never_give_a_seat_of_one_pool_twice(api):
    crowd = [f"p{number}" for number in range(30)]
    await api.arrange(people(*crowd))
    await bundle(api, "IDU", 10)
    await done(api, "PUT", f"{ACCOUNT}/group/group-01", {"userBundleCodes": ["IDU"]})

    def asked(number, user):
        if number % 3 == 0:
            return api.call("PUT", ACCOUNT, {"userIds": [user], "userBundleCodes": ["IDU"]})
        if number % 3 == 1:
            items = [{"op": "assign", "license": "idu", "user": user}]
            return api.call("POST", "/v1/license-assignments:batch", {"items": items})
        return api.call("POST", f"{USERS}/group-01/assignments", {"role_id": "trainer", "user_id": user})

    second = Worker(api.services.settings)
    await second.start()
    try:
        answers = await asyncio.gather(*(asked(*one) for one in enumerate(crowd)))
    finally:
        await second.stop()
    given = await entitlements(api, license="idu")
    assert Counter(state for state, _ in given.values())["active"] == 10
    # Whoever joined has a place in the group's line; who asked directly was given a seat or told that there is none.
    assert {user for (user, _), (_, sources) in given.items() if sources == ["group-01"]} == set(crowd[2::3])
    for user, answer in zip(crowd[::3], answers[::3], strict=True):
        assert answer.status_code == (200 if (user, "idu") in given else 409)
    for user, answer in zip(crowd[1::3], answers[1::3], strict=True):
        assert answer.json()["items"][0]["status"] == (201 if (user, "idu") in given else 409)
    assert await done(api, "GET", ACCOUNT) == [{"code": "IDU", "total": 10, "allocated": 10, "inUse": 10}]
