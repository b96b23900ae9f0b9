"""/v1/users, /v1/groups, /v1/roles over HTTP, with a worker behind."""

import pytest

from tests.support.api import groups, people, roles

USER = {
    "username": "Ann.Lee",
    "email": "Ann.Lee@Example.org",
    "first_name": "Ann",
    "last_name": "Lee",
    "department": "Sales",
    "active": True,
    "attributes": {"cost": [1, 2.5, None, {"a": "ä"}]},
    "primary_group": "sales",
}


async def body(api, method, path, sent=None, *, status=200, **options):
    response = await api.call(method, path, sent, **options)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def test_a_user_is_created_replaced_read_and_deleted(api):
    await api.arrange(groups("sales"))
    created = await body(api, "PUT", "/v1/users/u-1", USER, status=201)
    assert created == {"id": created["id"], "key": "u-1", **USER}
    assert await body(api, "GET", "/v1/users/u-1") == created
    assert await body(api, "PUT", "/v1/users/u-1", USER) == created
    replaced = await body(api, "PUT", "/v1/users/u-1", {"username": "ann"})
    defaults = {"email": None, "first_name": "", "last_name": "", "department": "", "active": True}
    assert replaced == {
        "id": created["id"], "key": "u-1", "username": "ann", **defaults, "attributes": {}, "primary_group": None,
    }  # fmt: skip
    assert await body(api, "GET", "/v1/users/u-1") == replaced
    assert await body(api, "DELETE", "/v1/users/u-1", status=204) is None
    for method, sent in (("GET", None), ("DELETE", None)):
        assert (await body(api, method, "/v1/users/u-1", sent, status=404))["code"] == "USER_DOES_NOT_EXIST"
    again = await body(api, "PUT", "/v1/users/u-1", {"username": "ann"}, status=201)
    assert again["id"] != created["id"]


async def test_every_write_names_its_operation_and_its_request(api):
    response = await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers={"X-Request-Id": "mine-1"})
    assert response.headers["X-Request-Id"] == "mine-1"
    operation = await body(api, "GET", f"/v1/operations/{response.headers['Seatline-Operation']}")
    assert operation["response"] == {"status": 201, "body": response.json()}


async def test_a_group_keeps_its_people_when_it_is_renamed(api):
    await api.arrange(groups("sales"), people("u-1", "u-2", primary_group="sales"))
    assert (await body(api, "PUT", "/v1/groups/sales", {"name": "Verkauf"}))["user_count"] == 2
    assert await body(api, "GET", "/v1/groups/sales") == {
        "id": (await body(api, "GET", "/v1/groups"))["items"][0]["id"],
        "key": "sales",
        "name": "Verkauf",
        "user_count": 2,
    }


async def test_a_group_in_use_goes_only_by_cascade(api):
    await api.arrange(groups("sales"), people("u-1", primary_group="sales"))
    refused = await body(api, "DELETE", "/v1/groups/sales", status=409)
    assert (refused["code"], refused["user_count"]) == ("USER_GROUP_IN_USE", 1)
    assert (await body(api, "GET", "/v1/groups/sales"))["user_count"] == 1
    await body(api, "DELETE", "/v1/groups/sales?cascade=true", status=204)
    assert (await body(api, "GET", "/v1/groups/sales", status=404))["code"] == "USER_GROUP_DOES_NOT_EXIST"
    assert (await body(api, "GET", "/v1/users/u-1"))["primary_group"] is None


async def test_a_role_in_use_goes_only_by_cascade_and_member_never(api):
    await api.arrange(groups("sales"), people("u-1"), roles("lead"))
    item = {"op": "assign", "group_id": "sales", "user_id": "u-1", "role_id": "lead"}
    await body(api, "POST", "/v1/group-assignments:batch", {"items": [item]})
    assert (await body(api, "DELETE", "/v1/roles/lead", status=409))["code"] == "ROLE_IN_USE"
    await body(api, "DELETE", "/v1/roles/lead?cascade=true", status=204)
    assert (await body(api, "GET", "/v1/groups/sales"))["user_count"] == 0
    for path in ("/v1/roles/member", "/v1/roles/member?cascade=true"):
        assert (await body(api, "DELETE", path, status=409))["code"] == "ROLE_IS_BUILT_IN"


async def test_a_role_is_shown_with_all_its_languages(api):
    role = {"permission_scope": "USER_GROUPS", "titles": {"en": "Lead", "de-CH": "Chef"}, "descriptions": {"fr": ""}}
    assert await body(api, "PUT", "/v1/roles/lead", role, status=201) == {"key": "lead", **role}
    assert await body(api, "GET", "/v1/roles/lead") == {"key": "lead", **role}
    listed = await body(api, "GET", "/v1/roles?permission_scope=USER_GROUPS")
    assert [item["key"] for item in listed["items"]] == ["member", "lead"]
    assert (await body(api, "GET", "/v1/roles?permission_scope=OTHER"))["items"] == []


async def test_lists_are_walked_by_cursor(api):
    await api.arrange(people(*(f"u-{n}" for n in range(7))))
    found, cursor = [], ""
    while cursor is not None:
        page = await body(api, "GET", f"/v1/users?limit=3{cursor and '&cursor='}{cursor}")
        found += [user["key"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert found == [f"u-{n}" for n in range(7)]


async def test_lists_are_filtered(api):
    await api.arrange(
        groups("a", "b"),
        people("u-1", department="Sales", primary_group="a"),
        people("u-2", department="Sales", active=False, email="Two@example.org"),
    )
    for parameters, keys in (
        ("department=Sales", ["u-1", "u-2"]),
        ("department=Sales&active=true", ["u-1"]),
        ("active=false", ["u-2"]),
        ("username=U-1", ["u-1"]),
        ("email=two@EXAMPLE.org", ["u-2"]),
        ("group=a", ["u-1"]),
        ("group=b", []),
        ("department=sales", []),
    ):
        page = await body(api, "GET", f"/v1/users?{parameters}")
        assert [user["key"] for user in page["items"]] == keys, parameters
    page = await body(api, "GET", "/v1/groups", params={"name": "Group b"})
    assert [group["key"] for group in page["items"]] == ["b"]


async def test_a_batch_answers_every_item_in_order(api):
    items = [
        {"key": "u-1", "username": "ann"},
        {"key": "u-2", "username": "ANN"},
        {"key": "u-3"},
        {"key": "u 4", "username": "x"},
        ["u-5"],
        {"key": "u-6", "username": "six", "primary_group": "nowhere"},
        {"key": "u-1", "username": "ann-2"},
        {"key": "u-7", "username": "ann", "sunny": True},
        {"key": "u-8", "username": "eight", "email": "no address"},
        {"key": "u-9", "username": "ann"},
    ]
    results = (await body(api, "POST", "/v1/users:batch", {"items": items}))["items"]
    assert [(result["key"], result["status"]) for result in results] == [
        ("u-1", 201), ("u-2", 409), ("u-3", 422), ("u 4", 422), (None, 422), ("u-6", 404), ("u-1", 200), ("u-7", 422),
        ("u-8", 422), ("u-9", 201),
    ]  # fmt: skip
    assert [result.get("error", {}).get("code") for result in results] == [
        None, "USERNAME_TAKEN", "INVALID_ITEM", "INVALID_ITEM", "INVALID_ITEM", "USER_GROUP_DOES_NOT_EXIST", None,
        "INVALID_ITEM", "INVALID_ITEM", None,
    ]  # fmt: skip
    assert [result.get("error", {}).get("field") for result in results] == [
        None, "username", "username", "key", None, "primary_group", None, "sunny", "email", None,
    ]  # fmt: skip
    assert all((result["id"] is None) is ("error" in result) for result in results)
    assert results[0]["id"] == results[6]["id"]


async def test_names_may_be_swapped_within_a_batch(api):
    await api.arrange(people("u-1", "u-2"))
    items = [
        {"key": "u-1", "username": "third"},
        {"key": "u-2", "username": "u-1"},
        {"key": "u-1", "username": "u-2"},
    ]
    results = (await body(api, "POST", "/v1/users:batch", {"items": items}))["items"]
    assert [result["status"] for result in results] == [200, 200, 200]
    assert (await body(api, "GET", "/v1/users?username=u-2"))["items"][0]["key"] == "u-1"


async def test_groups_and_roles_come_by_the_batch_too(api):
    results = await body(api, "POST", "/v1/groups:batch", {"items": [{"key": "a", "name": "A"}, {"key": "b"}]})
    assert [result["status"] for result in results["items"]] == [201, 422]
    items = [
        {"key": "lead", "permission_scope": "USER_GROUPS", "titles": {"en": "Lead"}},
        {"key": "lead", "permission_scope": "user_groups", "titles": {"en": "Lead"}},
        {"key": "none", "permission_scope": "USER_GROUPS", "titles": {}},
        {"key": "odd", "permission_scope": "USER_GROUPS", "titles": {"not a language": "x"}},
        {"key": "twice", "permission_scope": "USER_GROUPS", "titles": {"en": "x", "EN": "y"}},
    ]
    results = (await body(api, "POST", "/v1/roles:batch", {"items": items}))["items"]
    assert [(result["status"], result.get("error", {}).get("field")) for result in results] == [
        (201, None), (422, "permission_scope"), (422, "titles"), (422, "titles"), (422, "titles"),
    ]  # fmt: skip


async def test_a_thousand_items_are_taken_and_one_more_is_not(api):
    items = [{"key": f"g-{n}", "name": "G"} for n in range(1001)]
    refused = await body(api, "POST", "/v1/groups:batch", {"items": items}, status=422)
    assert refused["code"] == "BATCH_TOO_LARGE"
    results = (await body(api, "POST", "/v1/groups:batch", {"items": items[:1000]}))["items"]
    assert {result["status"] for result in results} == {201}
    assert (await body(api, "POST", "/v1/groups:batch", {"items": []}, status=422))["code"] == "BATCH_EMPTY"


@pytest.mark.parametrize("kind", ["users", "groups", "roles"])
async def test_a_dry_run_answers_as_if_and_changes_nothing(api, kind):
    items = {
        "users": [{"key": "a", "username": "a"}, {"key": "b", "username": "A"}],
        "groups": [{"key": "a", "name": "A"}, {"key": "b"}],
        "roles": [{"key": "a", "permission_scope": "X", "titles": {"en": "A"}}, {"key": "b"}],
    }[kind]
    dry = await api.call("POST", f"/v1/{kind}:batch?dry_run=true", {"items": items})
    results = dry.json()["items"]
    assert (results[0], results[1]["status"] >= 400) == ({"key": "a", "id": None, "status": 201}, True)
    assert (await api.call("GET", f"/v1/{kind}/a")).status_code == 404
    assert (await body(api, "GET", f"/v1/operations/{dry.headers['Seatline-Operation']}"))["dry_run"] is True
    real = (await body(api, "POST", f"/v1/{kind}:batch?dry_run=false", {"items": items}))["items"]
    assert (real[0]["status"], real[1:]) == (201, results[1:])


async def test_a_repeated_call_under_one_key_is_one_operation(api):
    headers = {"Idempotency-Key": "once"}
    first = await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers=headers)
    again = await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Seatline-Operation"] == first.headers["Seatline-Operation"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await body(api, "PUT", "/v1/groups/g", {"name": "H"}, status=422, headers=headers)
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_an_asynchronous_call_is_answered_by_its_operation(api):
    accepted = await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers={"Prefer": "respond-async"})
    assert accepted.status_code == 202
    assert accepted.headers["Preference-Applied"] == "respond-async"
    finished = await api.call("PUT", "/v1/groups/g", {"name": "G"})  # applied after it, so it is done by then
    assert finished.status_code == 200
    operation = await body(api, "GET", accepted.headers["Location"])
    assert (operation["status"], operation["response"]["status"]) == ("succeeded", 201)


async def test_a_refusal_speaks_the_callers_language(api):
    response = await api.call("GET", "/v1/users/nobody", headers={"Accept-Language": "de-CH, en;q=0.5"})
    assert (response.status_code, response.headers["Content-Language"]) == (404, "de")
    assert response.headers["Content-Type"] == "application/problem+json"
    refused = await api.call("DELETE", "/v1/users/nobody", headers={"Accept-Language": "fr"})
    assert (refused.headers["Content-Language"], refused.headers["Content-Type"]) == ("fr", "application/problem+json")
    assert refused.json()["operation_id"] == refused.headers["Seatline-Operation"]
