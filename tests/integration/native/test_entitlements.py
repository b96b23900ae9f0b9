"""/v1/entitlements over HTTP: every source with its operation, who waits and for what, whichever door gave it."""

import pytest

from tests.support.api import groups, people
from tests.support.waiting import found

ACCOUNT = "/acme-org/lease_/api/account/acme/user-license"
CATALOG = "/api/catalog/licenses/program/assignment/group/"
PHOTO = {"name": "Photo", "kind": "program", "program_key": "p", "program_name": "P", "capacity": 3}
ACNU = {"name": "Citizens", "kind": "bundle", "code": "ACNU", "capacity": 10}


async def body(api, method, path, sent=None, *, status=200, **options):
    response = await api.call(method, path, sent, **options)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def numbers(api, group, license_key="photo"):
    of_group = await body(api, "GET", f"/v1/groups/{group}")
    of_license = await body(api, "GET", f"/v1/licenses/{license_key}")
    return {"license_id": of_license["id"], "group_id": of_group["id"]}


async def join(api, group, *users, op="assign"):
    items = [{"op": op, "group_id": group, "user_id": user, "role_id": "member"} for user in users]
    results = await body(api, "POST", "/v1/group-assignments:batch", {"items": items})
    assert {result["status"] for result in results["items"]} <= {200, 201}


async def give(api, *users, license_key="photo", shortage="reject"):
    items = [{"op": "assign", "license": license_key, "user": user} for user in users]
    return await body(api, "POST", "/v1/license-assignments:batch", {"items": items, "shortage": shortage})


async def why(api, **parameters):
    return (await body(api, "GET", "/v1/entitlements", params=parameters))["items"]


@pytest.fixture
async def company(api):
    """Sales has ann, bob and cat; photo has three seats, acnu ten."""
    await api.arrange(groups("sales", "ops"), people("ann", "bob", "cat", "dan", "eve"))
    await join(api, "sales", "ann", "bob", "cat")
    await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    await body(api, "PUT", "/v1/licenses/acnu", ACNU, status=201)
    return api


async def test_every_source_is_told_with_its_operation(company):
    group = await company.call("POST", CATALOG, await numbers(company, "sales"))
    assert group.status_code == 200, group.text
    items = [{"op": "assign", "license": "photo", "user": "ann"}]
    direct = await company.call("POST", "/v1/license-assignments:batch", {"items": items})
    (entitlement,) = await why(company, user="ann")
    ids = await numbers(company, "sales")
    assert entitlement["license"] == {"id": ids["license_id"], "key": "photo"}
    assert entitlement["state"] == "active"
    assert [(one["type"], one.get("group"), one["operation_id"]) for one in entitlement["sources"]] == [
        ("direct", None, direct.headers["Seatline-Operation"]),
        ("group", {"id": ids["group_id"], "key": "sales"}, group.headers["Seatline-Operation"]),
    ]
    assert direct.json()["items"][0]["body"]["groups"] == [{"id": ids["group_id"], "key": "sales"}]


async def test_a_seat_goes_with_its_last_source_and_to_whoever_waits(company):
    await body(company, "POST", CATALOG, await numbers(company, "sales"))
    await give(company, "ann", "dan", shortage="waitlist")
    assert [(one["user"]["key"], one["position"]) for one in await why(company, state="waiting")] == [("dan", 1)]
    await join(company, "sales", "ann", "bob", op="unassign")
    states = {one["user"]["key"]: one["state"] for one in await why(company, license="photo")}
    assert states == {"ann": "active", "cat": "active", "dan": "active"}


async def test_a_person_who_is_not_active_waits_for_themselves(company):
    await give(company, "ann")
    await body(company, "PUT", "/v1/users/ann", {"username": "ann", "active": False})
    (entitlement,) = await why(company, user="ann")
    assert (entitlement["state"], entitlement["waiting_for"]) == ("waiting", "user")
    await body(company, "PUT", "/v1/users/ann", {"username": "ann"})
    assert [one["state"] for one in await why(company, user="ann")] == ["active"]


async def test_pages_join_to_the_whole_list(company):
    await give(company, "ann", "bob", "cat")
    await give(company, "ann", "bob", license_key="acnu")
    everything = await why(company)
    listed, cursor = [], None
    while cursor is not None or not listed:
        page = await body(
            company, "GET", "/v1/entitlements", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        )
        listed, cursor = [*listed, *page["items"]], page["next_cursor"]
    assert (listed, len(listed)) == (everything, 5)


async def test_unknown_names_and_values_are_refused(company):
    for parameters, status, code in (
        ("user=nobody", 404, "USER_DOES_NOT_EXIST"),
        ("license=none", 404, "LICENSE_DOES_NOT_EXIST"),
        ("group=nowhere", 404, "USER_GROUP_DOES_NOT_EXIST"),
        ("state=happy", 400, "INVALID_PARAMETER"),
        ("cursor=x", 400, "INVALID_PARAMETER"),
        ("limit=501", 400, "INVALID_PARAMETER"),
    ):
        assert (await body(company, "GET", f"/v1/entitlements?{parameters}", status=status))["code"] == code


async def test_an_expired_licence_is_what_its_holders_wait_for(company):
    await give(company, "ann")
    await body(company, "PUT", "/v1/licenses/photo", {**PHOTO, "expires_at": "2020-01-01T00:00:00Z"})

    async def expired():
        return [one for one in await why(company, user="ann") if one["state"] == "waiting"]

    (entitlement,) = await found(expired)
    assert (entitlement["waiting_for"], entitlement["until"]) == ("license", "2020-01-01T00:00:00.000000Z")
    await body(company, "PUT", "/v1/licenses/photo", PHOTO)
    assert [(one["state"], "until" in one) for one in await why(company, user="ann")] == [("active", False)]


async def test_a_bundle_of_the_account_api_is_explained_too(company):
    allocated = await body(company, "PUT", f"{ACCOUNT}/group/sales", {"userBundleCodes": ["ACNU"]})
    assert allocated["userBundleCodes"] == ["ACNU"]
    assert [one["user"]["key"] for one in await why(company, group="sales")] == ["ann", "bob", "cat"]
    await join(company, "sales", "eve")
    (entitlement,) = await why(company, user="eve")
    assert (entitlement["license"]["key"], entitlement["sources"][0]["group"]["key"]) == ("acnu", "sales")


async def test_who_is_beyond_a_quota_waits_for_it(company):
    quota = {"userBundleCodes": ["ACNU"], "quotas": [{"userBundleCode": "ACNU", "limit": 2}]}
    await body(company, "PUT", f"{ACCOUNT}/group/sales/with-quota", quota)
    (entitlement,) = await why(company, group="sales", state="waiting")
    assert (entitlement["user"]["key"], entitlement["waiting_for"], "position" in entitlement) == (
        "cat",
        "quota",
        False,
    )


async def test_reprocessing_a_group_where_all_is_well_changes_nothing(company):
    ids = await numbers(company, "sales")
    await body(company, "POST", CATALOG, ids)
    before = await why(company, group="sales")
    assert await body(company, "POST", "/v1/groups/sales:reprocess") == {
        "group": {"id": ids["group_id"], "key": "sales"}, "user_count": 3, "given": 0, "taken": 0,
    }  # fmt: skip
    assert await why(company, group="sales") == before
    refused = await body(company, "POST", "/v1/groups/nowhere:reprocess", status=404)
    assert refused["code"] == "USER_GROUP_DOES_NOT_EXIST"


async def test_a_licence_in_use_goes_by_cascade_with_all_that_it_gave(company):
    await body(company, "POST", CATALOG, await numbers(company, "sales"))
    await body(company, "DELETE", "/v1/licenses/photo?cascade=true", status=204)
    assert (await body(company, "GET", "/v1/licenses/photo", status=404))["code"] == "LICENSE_DOES_NOT_EXIST"
    assert await why(company) == []
    await body(company, "PUT", "/v1/licenses/photo", PHOTO, status=201)
