"""/v1/group-assignments over HTTP: every source its own, results as in the users API, lists by person and group."""

import pytest

from tests.support.api import groups, people, roles


@pytest.fixture
async def company(api):
    await api.arrange(
        groups("sales", "ops"), people("ann", "bob", first_name="F", last_name="L", department="D"), roles("lead")
    )
    return api


def item(op="assign", group="sales", user="ann", role="lead", **more):
    return {"op": op, "group_id": group, "user_id": user, "role_id": role, **more}


async def change(api, *items, query="", **options):
    response = await api.call("POST", f"/v1/group-assignments:batch{query}", {"items": list(items)}, **options)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def listed(api, **parameters):
    response = await api.call("GET", "/v1/group-assignments", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def test_an_assigned_role_is_answered_as_in_the_users_api(company):
    (result,) = await change(company, item(source="RULE"), headers={"Accept-Language": "de"})
    created_at = result["body"].pop("created_at")
    assert created_at.endswith("Z")
    assert result == {
        "status": 201,
        "group_id": "sales",
        "user_id": "ann",
        "role_id": "lead",
        "body": {
            "group_id": "sales",
            "user": {"id": "ann", "first_name": "F", "last_name": "L", "department": "D", "status": "ACTIVE"},
            "role": {"id": "lead", "title": "lead (de)"},
            "source": "RULE",
        },
    }
    single = await company.call("GET", "/api/admin/users/v4/user-groups/sales/assignments/ann/lead")
    assert (single.json()["source"], single.json()["created_at"]) == ("RULE", created_at)


async def test_a_row_keeps_its_sources_and_goes_with_the_last(company):
    for source, shown in (("MANUAL", "MANUAL"), ("SCIM", "SCIM"), ("RULE", "RULE")):
        (result,) = await change(company, item(source=source))
        assert (result["status"], result["body"]["source"]) == (201, shown)
    (row,) = await listed(company, user="ann")
    assert (row["source"], row["sources"]) == ("RULE", ["RULE", "SCIM", "MANUAL"])
    for source, left in (("RULE", "SCIM"), ("SCIM", "MANUAL")):
        assert (await change(company, item("unassign", source=source)))[0] == {
            "status": 200, "group_id": "sales", "user_id": "ann", "role_id": "lead",
        }  # fmt: skip
        assert [row["source"] for row in await listed(company, user="ann")] == [left]
    (last,) = await change(company, item("unassign"))
    assert (last["status"], await listed(company)) == (200, [])


async def test_every_refusal_names_its_item_and_spoils_no_neighbour(company):
    await company.arrange(people("idle", active=False), roles("teacher", scope="COURSES"))
    results = await change(
        company,
        item(group="nowhere"),
        item(user="nobody"),
        item(role="nothing"),
        item(role="teacher"),
        item(user="idle"),
        item("unassign"),
        item(),
        item(),
        item(source="PRIMARY"),
        item("give"),
        {"op": "assign", "group_id": "sales", "user_id": 7, "role_id": "lead"},
        item(sunny=True),
        "no item",
        item(user=""),
        item(user="bob"),
    )
    assert [(result["status"], result.get("error", {}).get("code")) for result in results] == [
        (404, "USER_GROUP_DOES_NOT_EXIST"),
        (404, "USER_DOES_NOT_EXIST"),
        (400, "ROLE_DOES_NOT_EXIST"),
        (400, "ROLE_HAS_WRONG_PERMISSION_SCOPE"),
        (400, "USER_IS_NOT_ACTIVE"),
        (404, "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST"),
        (201, None),
        (400, "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"),
        *[(400, "INVALID_ITEM")] * 6,
        (201, None),
    ]
    assert [result["error"].get("field") for result in results[8:14]] == [
        "source", "op", "user_id", "sunny", None, "user_id",
    ]  # fmt: skip
    assert "source" in results[8]["error"]["message"]
    assert [result["user_id"] for result in results[8:14]] == ["ann", "ann", None, "ann", None, ""]


async def test_the_primary_source_follows_the_user_alone(company):
    await company.call("PUT", "/v1/users/ann", {"username": "ann", "primary_group": "sales"})
    (row,) = await listed(company, source="PRIMARY")
    assert (row["group_id"], row["user_id"], row["role_id"], row["source"]) == ("sales", "ann", "member", "PRIMARY")
    await company.call("PUT", "/v1/users/ann", {"username": "ann", "primary_group": "ops"})
    assert [row["group_id"] for row in await listed(company, user="ann")] == ["ops"]
    (refused,) = await change(company, item("unassign", group="ops", role="member", source="PRIMARY"))
    assert refused["error"]["code"] == "INVALID_ITEM"


async def test_a_token_limited_to_some_roles_gives_and_takes_only_those(company):
    await company.arrange(roles("mentor"))
    limited = await company.token("groups:write", roles=["mentor"])
    results = await change(company, item(), item(role="mentor"), item("unassign"), headers=limited)
    assert [(result["status"], result.get("error", {}).get("code")) for result in results] == [
        (403, "ROLE_NOT_ASSIGNABLE"), (201, None), (403, "ROLE_NOT_ASSIGNABLE"),
    ]  # fmt: skip
    none = await company.token("groups:write", roles=[])
    assert (await change(company, item(role="mentor"), headers=none))[0]["status"] == 403


async def test_a_dry_run_answers_as_if_and_changes_nothing(company):
    dry = await change(company, item(), item(), query="?dry_run=true")
    assert [result["status"] for result in dry] == [201, 400]
    assert await listed(company) == []
    assert [result["status"] for result in await change(company, item(), item())] == [201, 400]


async def test_assignments_are_listed_with_both_names_and_by_page(company):
    await change(company, *(item(group=group, user=user) for group in ("sales", "ops") for user in ("ann", "bob")))
    everything = await listed(company)
    assert [(row["group_id"], row["user_id"]) for row in everything] == [
        ("sales", "ann"), ("sales", "bob"), ("ops", "ann"), ("ops", "bob"),
    ]  # fmt: skip
    first = everything[0]
    assert (first["group"]["key"], first["user"]["key"], first["role"]["title"]) == ("sales", "ann", "Lead")
    assert {type(first["group"]["id"]), type(first["user"]["id"])} == {int}
    assert await listed(company, user="bob") == [row for row in everything if row["user_id"] == "bob"]
    assert await listed(company, group="ops") == [row for row in everything if row["group_id"] == "ops"]
    assert await listed(company, group="ops", user="ann") == [everything[2]]
    assert await listed(company, source="RULE") == []
    page = (await company.call("GET", "/v1/group-assignments?limit=3")).json()
    rest = (await company.call("GET", f"/v1/group-assignments?limit=3&cursor={page['next_cursor']}")).json()
    assert ([*page["items"], *rest["items"]], rest["next_cursor"]) == (everything, None)


async def test_an_unknown_person_or_group_is_not_an_empty_list(company):
    for parameters, code in (("user=nobody", "USER_DOES_NOT_EXIST"), ("group=none", "USER_GROUP_DOES_NOT_EXIST")):
        response = await company.call("GET", f"/v1/group-assignments?{parameters}")
        assert (response.status_code, response.json()["code"]) == (404, code)
