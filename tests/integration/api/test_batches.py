"""Both batches: one honest result per item, in order, whatever its neighbours are."""

import json

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.sources import SourceName
from tests.support.api import people

BATCH = "/api/admin/users/v4/user-groups/assignments/batch"


def item(user, *, group="sales", role="trainer"):
    return {"group_id": group, "body": {"role_id": role, "user_id": user}}


def gone(user, *, group="sales", role="trainer"):
    return {"group_id": group, "user_id": user, "role_id": role}


def results(response):
    assert response.status_code == 200, response.text
    return [(one["status"], one.get("error", {}).get("code")) for one in response.json()["items"]]


async def count(api, group="sales"):
    response = await api.call("GET", f"/api/admin/users/v4/user-groups/{group}/assignments")
    return response.json()["pagination"]["total_count"]


async def test_each_item_stands_for_itself(api):
    limited = await api.token("groups:write", roles=["trainer", "admin"])
    response = await api.call(
        "POST",
        BATCH,
        {
            "items": [
                item("ada"),
                item("nobody", group="nothing"),
                item("nobody"),
                item("ada", role="nonsense"),
                item("ada", role="admin"),
                item("ed"),
                item("bo", role="mentor"),
                item("ada"),
                {"group_id": "sales", "body": {"role_id": 5, "user_id": "bo"}},
                "bo",
                item("bo"),
            ]
        },
        headers=limited,
        params={"embed": "ACTIONS"},
    )
    assert results(response) == [
        (201, None),
        (404, "USER_GROUP_DOES_NOT_EXIST"),
        (404, "USER_DOES_NOT_EXIST"),
        (400, "ROLE_DOES_NOT_EXIST"),
        (400, "ROLE_HAS_WRONG_PERMISSION_SCOPE"),
        (400, "USER_IS_NOT_ACTIVE"),
        (403, "ROLE_NOT_ASSIGNABLE"),
        (400, "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"),
        (400, "INVALID_ITEM"),
        (400, "INVALID_ITEM"),
        (201, None),
    ]
    items = response.json()["items"]
    assert items[0]["body"]["actions"] == ["DELETE"]
    assert [items[0][name] for name in ("group_id", "user_id", "role_id")] == ["sales", "ada", "trainer"]
    assert (items[8]["group_id"], items[8]["user_id"], items[8]["role_id"]) == ("sales", "bo", None)
    assert items[8]["error"]["field"] == "body.role_id"
    assert await count(api) == 2


async def test_deletions_stand_for_themselves_too(api):
    await api.arrange(
        ChangeAssignments(
            items=tuple(
                AssignmentChange(op=AssignmentOp.ASSIGN, group="sales", user=user, role="trainer", source=source)
                for user, source in (("ada", SourceName.MANUAL), ("bo", SourceName.RULE), ("cy", SourceName.SCIM))
            )
        )
    )
    response = await api.call(
        "DELETE",
        BATCH,
        {
            "items": [
                gone("ada"),
                gone("ada"),
                gone("bo"),
                gone("cy"),
                gone("di"),
                gone("nobody"),
                gone("ada", group="nothing"),
                gone("ada", role="nonsense"),
                {"group_id": "sales", "user_id": "ada", "role_id": "trainer", "why": "x"},
                {"group_id": "sales", "body": {"role_id": "trainer", "user_id": "ada"}},
            ]
        },
    )
    assert results(response) == [
        (200, None),
        (404, "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST"),
        (400, "DERIVED_ASSIGNMENT_DELETION_FORBIDDEN"),
        (200, None),
        (404, "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST"),
        (404, "USER_DOES_NOT_EXIST"),
        (404, "USER_GROUP_DOES_NOT_EXIST"),
        (400, "ROLE_DOES_NOT_EXIST"),
        (400, "INVALID_ITEM"),
        (400, "INVALID_ITEM"),
    ]
    assert response.json()["items"][0] == {"status": 200, **gone("ada")}
    assert await count(api) == 1


async def test_a_hundred_items_are_taken_and_one_more_is_not(api):
    await api.arrange(people(*(f"p{number}" for number in range(101))))
    many = [item(f"p{number}") for number in range(101)]
    for items, code in ((many, "BATCH_TOO_LARGE"), ([], "BATCH_EMPTY")):
        refused = await api.call("POST", BATCH, {"items": items})
        assert (refused.status_code, refused.json()["code"]) == (400, code)
        assert "seatline-operation" not in refused.headers
        assert await count(api) == 0
    taken = await api.call("POST", BATCH, {"items": many[:100]})
    assert results(taken) == [(201, None)] * 100
    assert await count(api) == 100


async def test_strange_text_fails_alone(api):
    strange = ["a\0b", "", "x" * 5_000, "ada ", "ADA", "%", "ä\u0308", "😀", "\u202eada", "'; DROP TABLE role; --"]
    items = [item("ada"), *(item(text) for text in strange), item("bo")]
    body = json.dumps({"items": items}).replace('"strange"', r'"\ud800"').encode()
    response = await api.call("POST", BATCH, content=body, headers={"Content-Type": "application/json"})
    assert results(response) == [
        (201, None),
        (400, "INVALID_ITEM"),
        (400, "INVALID_ITEM"),
        *[(404, "USER_DOES_NOT_EXIST")] * (len(strange) - 2),
        (201, None),
    ]


async def test_values_that_cannot_be_kept_fail_alone(api):
    good = json.dumps(item("ada")).encode()
    for raw in (rb'"\ud800"', b"1e999", b"NaN", b'{"user_id": 1, "user_id": 2}', b"[" * 70 + b"]" * 70):
        bad = b'{"group_id": "sales", "body": {"role_id": "trainer", "user_id": ' + raw + b"}}"
        body = b'{"items": [' + bad + b"," + good + b"]}"
        options = {"content": body, "headers": {"Content-Type": "application/json"}, "params": {"dry_run": "true"}}
        response = await api.call("POST", BATCH, **options)
        assert results(response) == [(400, "INVALID_ITEM"), (201, None)]
        assert response.json()["items"][0]["error"]["field"].startswith("body.user_id")


async def test_a_dry_run_answers_as_if_and_changes_nothing(api):
    response = await api.call("POST", BATCH, {"items": [item("ada"), item("ada")]}, params={"dry_run": "true"})
    assert results(response) == [(201, None), (400, "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS")]
    assert await count(api) == 0


async def test_messages_come_in_the_language_that_is_asked_for(api):
    response = await api.call("POST", BATCH, {"items": [item("nobody"), 7]}, headers={"Accept-Language": "de-AT"})
    assert response.headers["content-language"] == "de"
    assert [one["error"]["message"] for one in response.json()["items"]] == [
        "Der Benutzer existiert nicht.",
        "Der Eintrag ist ungültig. Dies muss ein Objekt sein.",
    ]
