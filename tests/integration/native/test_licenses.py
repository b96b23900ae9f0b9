"""/v1/licenses over HTTP: pools are put, read, listed, refused and deleted, and serve whoever waits."""

import pytest

from tests.support.api import people

PHOTO = {
    "name": "Photo 2026",
    "kind": "program",
    "program_key": "photo",
    "program_name": "Photo",
    "capacity": 2,
    "starts_at": "2026-01-01T01:00:00+01:00",
}
ACNU = {"name": "Citizens", "kind": "bundle", "code": "ACNU", "capacity": None}
DEFAULTS = {
    "code": None,
    "program_key": None,
    "program_name": None,
    "starts_at": None,
    "expires_at": None,
    "active": True,
}
COUNTS = {"used": 0, "reserved": 0, "waiting": 0}


async def body(api, method, path, sent=None, *, status=200, **options):
    response = await api.call(method, path, sent, **options)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def assign(api, *users, license_key="photo", shortage="reject"):
    items = [{"op": "assign", "license": license_key, "user": user} for user in users]
    results = await body(api, "POST", "/v1/license-assignments:batch", {"items": items, "shortage": shortage})
    return [result["status"] for result in results["items"]]


async def states(api, **parameters):
    page = await body(api, "GET", "/v1/entitlements", params=parameters)
    return {item["user"]["key"]: item["state"] for item in page["items"]}


async def test_a_licence_is_created_replaced_read_and_deleted(api):
    created = await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    shown = {**DEFAULTS, **PHOTO, "starts_at": "2026-01-01T00:00:00.000000Z", **COUNTS}
    assert created == {"id": created["id"], "key": "photo", **shown}
    assert await body(api, "GET", "/v1/licenses/photo") == created
    assert await body(api, "PUT", "/v1/licenses/photo", {**PHOTO, "key": "photo"}) == created
    smaller = {"name": "P", "kind": "program", "program_key": "photo", "program_name": "Photo", "capacity": 0}
    replaced = await body(api, "PUT", "/v1/licenses/photo", smaller)
    assert replaced == {"id": created["id"], "key": "photo", **DEFAULTS, **smaller, **COUNTS}
    assert await body(api, "DELETE", "/v1/licenses/photo", status=204) is None
    for method in ("GET", "DELETE"):
        assert (await body(api, method, "/v1/licenses/photo", status=404))["code"] == "LICENSE_DOES_NOT_EXIST"
    again = await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    assert again["id"] != created["id"]


async def test_a_licence_without_limit_says_null_and_a_bundle_its_code(api):
    created = await body(api, "PUT", "/v1/licenses/acnu", ACNU, status=201)
    assert created == {"id": created["id"], "key": "acnu", **DEFAULTS, **ACNU, **COUNTS}


async def test_what_contradicts_is_refused_with_its_field(api):
    await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    await body(api, "PUT", "/v1/licenses/acnu", ACNU, status=201)
    await api.arrange(people("ann", "bob"))
    assert await assign(api, "ann", "bob") == [201, 201]
    for key, sent, code, field in (
        ("photo", {**PHOTO, "capacity": 1}, "COUNT_BELOW_USAGE", "capacity"),
        ("photo", {**ACNU, "code": "NEW"}, "LICENSE_KIND_IS_FIXED", "kind"),
        ("other", ACNU, "LICENSE_CODE_TAKEN", "code"),
    ):
        refused = await body(api, "PUT", f"/v1/licenses/{key}", sent, status=409)
        assert (refused["code"], refused["errors"][0]["field"]) == (code, field)
    assert (await body(api, "GET", "/v1/licenses/photo"))["capacity"] == 2


async def test_a_form_that_is_wrong_makes_no_operation(api):
    for sent, field in (({**PHOTO, "capacity": -1}, "capacity"), ({**ACNU, "code": None}, "code"), ({}, "name")):
        response = await api.call("PUT", "/v1/licenses/x", sent)
        assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED")
        assert response.json()["errors"][0]["field"] == field
        assert "Seatline-Operation" not in response.headers


async def test_a_licence_in_use_stays(api):
    await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    await api.arrange(people("ann"))
    await assign(api, "ann")
    assert (await body(api, "DELETE", "/v1/licenses/photo", status=409))["code"] == "LICENSE_IN_USE"
    assert await states(api, user="ann") == {"ann": "active"}


async def test_more_capacity_serves_whoever_waits_oldest_first(api):
    await body(api, "PUT", "/v1/licenses/photo", {**PHOTO, "capacity": 1}, status=201)
    await api.arrange(people("ann", "bob", "cat"))
    for user in ("ann", "cat", "bob"):
        assert await assign(api, user, shortage="waitlist") == [201]
    assert (await body(api, "GET", "/v1/licenses/photo"))["waiting"] == 2
    raised = await body(api, "PUT", "/v1/licenses/photo", PHOTO)
    assert (raised["used"], raised["waiting"]) == (2, 1)
    assert await states(api, license="photo") == {"ann": "active", "cat": "active", "bob": "waiting"}


async def test_licences_are_listed_and_filtered(api):
    await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    await body(api, "PUT", "/v1/licenses/acnu", {**ACNU, "active": False}, status=201)
    for parameters, keys in (
        ("", ["photo", "acnu"]),
        ("kind=bundle", ["acnu"]),
        ("active=true", ["photo"]),
        ("code=ACNU", ["acnu"]),
        ("program_key=photo", ["photo"]),
        ("name=Citizens", ["acnu"]),
        ("name=citizens", []),
    ):
        page = await body(api, "GET", f"/v1/licenses?{parameters}")
        assert [item["key"] for item in page["items"]] == keys, parameters
    first = await body(api, "GET", "/v1/licenses?limit=1")
    rest = await body(api, "GET", f"/v1/licenses?limit=1&cursor={first['next_cursor']}")
    assert [item["key"] for item in (*first["items"], *rest["items"])] == ["photo", "acnu"]
    assert rest["next_cursor"] is None
    for wrong in ("kind=seat", "active=1", "limit=0", "cursor=x"):
        assert (await body(api, "GET", f"/v1/licenses?{wrong}", status=400))["code"] == "INVALID_PARAMETER"


async def test_a_batch_answers_every_item_in_order(api):
    items = [
        {"key": "photo", **PHOTO},
        {"key": "acnu", **ACNU},
        {"key": "acnu-2", **ACNU},
        {"key": "photo", **PHOTO, "capacity": 3},
        {"key": "bad key", **PHOTO},
        {"key": "k", **PHOTO, "used": 1},
    ]
    dry = await api.call("POST", "/v1/licenses:batch?dry_run=true", {"items": items})
    assert dry.json()["items"][0] == {"key": "photo", "id": None, "status": 201}
    assert (await body(api, "GET", "/v1/licenses"))["items"] == []
    results = (await body(api, "POST", "/v1/licenses:batch", {"items": items}))["items"]
    assert [(result["key"], result["status"], result.get("error", {}).get("field")) for result in results] == [
        ("photo", 201, None), ("acnu", 201, None), ("acnu-2", 409, "code"), ("photo", 200, None),
        ("bad key", 422, "key"), ("k", 422, "used"),
    ]  # fmt: skip
    assert (await body(api, "GET", "/v1/licenses/photo"))["capacity"] == 3


async def test_another_tenants_licence_does_not_exist(api):
    await body(api, "PUT", "/v1/licenses/photo", PHOTO, status=201)
    other = await api.other_tenant("other")
    for method, path in (("GET", "/v1/licenses/photo"), ("DELETE", "/v1/licenses/photo")):
        assert (await body(other, method, path, status=404))["code"] == "LICENSE_DOES_NOT_EXIST"
    assert (await body(other, "GET", "/v1/licenses"))["items"] == []
    await body(other, "PUT", "/v1/licenses/photo", PHOTO, status=201)


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [(["licenses:read"], 404, 403), (["licenses:write"], 404, 404), (["directory:write", "groups:write"], 403, 403)],
)
async def test_the_scope_licenses_opens_it(api, scopes, reads, writes):
    headers = await api.token(*scopes)
    assert (await api.call("GET", "/v1/licenses/none", headers=headers)).status_code == reads
    assert (await api.call("GET", "/v1/entitlements?license=none", headers=headers)).status_code == reads
    assert (await api.call("DELETE", "/v1/licenses/none", headers=headers)).status_code == writes
    item = {"op": "assign", "license": "none", "user": "nobody"}
    tried = await api.call("POST", "/v1/license-assignments:batch", {"items": [item]}, headers=headers)
    assert tried.status_code == (403 if writes == 403 else 200)
