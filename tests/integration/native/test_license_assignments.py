"""/v1/license-assignments:batch over HTTP: direct assignments by keys and addresses, each item for itself."""

import pytest

from tests.support.api import people


@pytest.fixture
async def company(api):
    """Photo has two seats, acnu is without limit; ann, bob, cat and idle, who is not active."""
    await api.arrange(people("ann", "bob", "cat"), people("idle", active=False))
    await api.call("PUT", "/v1/users/ann", {"username": "ann", "email": "Ann@b.org"})
    photo = {"name": "Photo", "kind": "program", "program_key": "p", "program_name": "P", "capacity": 2}
    assert (await api.call("PUT", "/v1/licenses/photo", photo)).status_code == 201
    acnu = {"name": "Citizens", "kind": "bundle", "code": "ACNU", "capacity": None}
    assert (await api.call("PUT", "/v1/licenses/acnu", acnu)).status_code == 201
    return api


def item(user=None, op="assign", license_key="photo", **more):
    named = {} if user is None else {"user": user}
    return {"op": op, "license": license_key, **named, **more}


async def change(api, *items, query="", **beside):
    response = await api.call("POST", f"/v1/license-assignments:batch{query}", {"items": list(items), **beside})
    assert response.status_code == 200, response.text
    return response.json()


async def statuses(api, *items, **options):
    return [result["status"] for result in (await change(api, *items, **options))["items"]]


async def everyone(api, **parameters):
    page = (await api.call("GET", "/v1/entitlements", params=parameters)).json()
    return {item["user"]["key"] if item["user"] else item["email"]: item["state"] for item in page["items"]}


async def test_an_assignment_is_shown_as_it_is_now(company):
    first, again = (await change(company, item("ann"), item("ann")))["items"]
    user = (await company.call("GET", "/v1/users/ann")).json()
    photo = (await company.call("GET", "/v1/licenses/photo")).json()
    assert first == {
        "status": 201,
        "license": "photo",
        "user": "ann",
        "body": {
            "id": first["body"]["id"],
            "license": {"id": photo["id"], "key": "photo"},
            "user": {"id": user["id"], "key": "ann"},
            "state": "active",
            "direct": True,
            "groups": [],
        },
    }
    assert again == {**first, "status": 200}
    (gone,) = (await change(company, item("ann", op="unassign")))["items"]
    assert gone == {"status": 200, "license": "photo", "user": "ann"}
    assert await everyone(company) == {}


async def test_every_refusal_names_its_item_and_spoils_no_neighbour(company):
    await company.call("PUT", "/v1/licenses/old", {
        "name": "Old", "kind": "bundle", "code": "OLD", "capacity": 5, "expires_at": "2020-01-01T00:00:00Z",
    })  # fmt: skip
    await company.call("PUT", "/v1/licenses/off", {
        "name": "Off", "kind": "bundle", "code": "OFF", "capacity": 5, "active": False,
    })  # fmt: skip
    results = (
        await change(
            company,
            item("ann", license_key="none"),
            item("nobody"),
            item("idle"),
            item("ann", license_key="off"),
            item("ann", license_key="old"),
            item("ann", op="unassign"),
            item("ann"),
            item("bob"),
            item("cat"),
            item("ann", op="give"),
            item("ann", email="ann@b.org"),
            item(),
            item(email="no address"),
            "no item",
            item("ann", source="RULE"),
            item("cat", license_key="acnu"),
        )
    )["items"]
    assert [(result["status"], result.get("error", {}).get("code")) for result in results] == [
        (404, "LICENSE_DOES_NOT_EXIST"),
        (404, "USER_DOES_NOT_EXIST"),
        (409, "USER_IS_NOT_ACTIVE"),
        (409, "LICENSE_IS_NOT_ACTIVE"),
        (409, "LICENSE_EXPIRED"),
        (404, "LICENSE_ASSIGNMENT_DOES_NOT_EXIST"),
        (201, None),
        (201, None),
        (409, "NOT_ENOUGH_SEATS"),
        *[(422, "INVALID_ITEM")] * 6,
        (201, None),
    ]
    assert results[8]["error"]["details"] == {"requested": 1, "available": 0}
    assert [result["error"].get("field") for result in results[9:15]] == [
        "op", "email", None, "email", None, "source",
    ]  # fmt: skip
    assert (results[0]["license"], results[1]["user"], results[13]["license"]) == ("none", "nobody", None)


async def test_who_finds_no_seat_waits_where_the_request_says_so(company):
    assert await statuses(company, item("ann"), item("bob")) == [201, 201]
    (waiting,) = (await change(company, item("cat"), shortage="waitlist"))["items"]
    assert (waiting["status"], waiting["body"]["state"], waiting["body"]["position"]) == (201, "waiting", 1)
    assert await statuses(company, item("cat"), query="?shortage=waitlist") == [200]
    assert await statuses(company, item("ann", op="unassign")) == [200]
    assert await everyone(company, license="photo") == {"bob": "active", "cat": "active"}


async def test_shortage_is_said_once_and_is_one_of_two(company):
    async def refused(path, sent):
        response = await company.call("POST", f"/v1/license-assignments:batch{path}", sent)
        return response.status_code, response.json()["errors"][0]["field"]

    items = {"items": [item("ann")]}
    assert await refused("?shortage=reject", {**items, "shortage": "waitlist"}) == (400, "shortage")
    assert await refused("?shortage=lottery", items) == (400, "shortage")
    assert await refused("", {**items, "shortage": "lottery"}) == (422, "shortage")
    assert await refused("", {**items, "hurry": True}) == (422, "hurry")
    assert await everyone(company) == {}


async def test_an_address_holds_a_seat_until_its_person_comes(company):
    known, unknown = (await change(company, item(email="ANN@b.org"), item(email="New@b.org")))["items"]
    assert (known["body"]["user"]["key"], "email" in known["body"]) == ("ann", False)
    assert (known["user"], known["email"]) == (None, "ANN@b.org")
    assert (unknown["body"]["user"], unknown["body"]["email"]) == (None, "New@b.org")
    assert await everyone(company) == {"ann": "active", "New@b.org": "active"}
    assert await statuses(company, item(email="new@B.org"), item(op="unassign", email="new@b.org")) == [200, 200]
    assert await everyone(company) == {"ann": "active"}


async def test_a_dry_run_says_what_it_would_need_and_changes_nothing(company):
    items = [item("ann"), item("bob"), item("cat"), item("ann", license_key="acnu")]
    dry = await change(company, *items, query="?dry_run=true", shortage="waitlist")
    assert [(result["status"], result["body"]["id"], result["body"]["state"]) for result in dry["items"]] == [
        (201, None, "active"), (201, None, "active"), (201, None, "waiting"), (201, None, "active"),
    ]  # fmt: skip
    assert dry["demand"] == {
        "photo": {"requested": 3, "available": 2, "would_wait": 1},
        "acnu": {"requested": 1, "available": None, "would_wait": 0},
    }
    assert await everyone(company) == {}
    refusing = await change(company, *items, query="?dry_run=true")
    assert [result["status"] for result in refusing["items"]] == [201, 201, 409, 201]
    assert refusing["demand"]["photo"] == {"requested": 3, "available": 2, "would_wait": 0}
    assert "demand" not in await change(company, *items)


async def test_a_thousand_items_are_taken_and_one_more_is_not(company):
    items = [item(f"u-{n}", license_key="acnu") for n in range(1001)]
    response = await company.call("POST", "/v1/license-assignments:batch", {"items": items})
    assert (response.status_code, response.json()["code"]) == (422, "BATCH_TOO_LARGE")
    await company.arrange(people(*(f"u-{n}" for n in range(1000))))
    assert set(await statuses(company, *items[:1000])) == {201}
    assert (await company.call("GET", "/v1/licenses/acnu")).json()["used"] == 1000
