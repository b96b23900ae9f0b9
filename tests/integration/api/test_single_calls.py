"""One assignment: created, read, deleted, and refused in the published order."""

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments, DeleteUsers
from domain.sources import SourceName

GROUPS = "/api/admin/users/v4/user-groups"
ADA = f"{GROUPS}/sales/assignments/ada/trainer"


def given(*sources, user="ada", role="trainer"):
    return ChangeAssignments(
        items=tuple(
            AssignmentChange(op=AssignmentOp.ASSIGN, group="sales", user=user, role=role, source=source)
            for source in sources
        )
    )


async def create(api, user="ada", role="trainer", group="sales", **options):
    return await api.call("POST", f"{GROUPS}/{group}/assignments", {"user_id": user, "role_id": role}, **options)


async def test_an_assignment_is_created_read_and_deleted(api):
    created = await create(api)
    assert created.status_code == 201
    shown = created.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "group_id": "sales",
        "user": {
            "id": "ada",
            "first_name": "Ada",
            "last_name": "Young",
            "department": "Research",
            "status": "ACTIVE",
        },
        "role": {"id": "trainer", "title": "Trainer"},
        "source": "MANUAL",
    }
    read = await api.call("GET", ADA)
    assert (read.status_code, read.json()) == (200, created.json())

    deleted = await api.call("DELETE", ADA)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert deleted.headers["seatline-operation"]
    gone = await api.call("GET", ADA)
    assert (gone.status_code, gone.json()["code"]) == (404, "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST")


async def test_actions_are_shown_to_who_asks_for_them(api):
    created = await create(api, params={"embed": "ACTIONS"})
    assert created.json()["actions"] == ["DELETE"]
    assert (await api.call("GET", ADA, params={"embed": "ACTIONS"})).json()["actions"] == ["DELETE"]
    reader = await api.token("groups:read")
    assert (await api.call("GET", ADA, params={"embed": "ACTIONS"}, headers=reader)).json()["actions"] == []


async def test_a_title_comes_in_the_language_that_is_asked_for(api):
    created = await create(api, headers={"Accept-Language": "de-CH, fr;q=0.3"})
    assert created.json()["role"]["title"] == "Ausbilder"
    assert created.headers["content-language"] == "de"
    read = await api.call("GET", ADA, headers={"Accept-Language": "fr"})
    assert read.json()["role"]["title"] == "Trainer"


async def test_refusals_come_in_the_published_order(api):
    await api.arrange(given(SourceName.MANUAL))
    limited = await api.token("groups:write", roles=["trainer"])
    for group, user, role, status, code in (
        ("nothing", "nobody", "nonsense", 404, "USER_GROUP_DOES_NOT_EXIST"),
        ("sales", "nobody", "nonsense", 404, "USER_DOES_NOT_EXIST"),
        ("sales", "ed", "nonsense", 400, "ROLE_DOES_NOT_EXIST"),
        ("sales", "ed", "admin", 400, "ROLE_HAS_WRONG_PERMISSION_SCOPE"),
        ("sales", "ed", "mentor", 400, "USER_IS_NOT_ACTIVE"),
        ("sales", "ada", "mentor", 403, "ROLE_NOT_ASSIGNABLE"),
        ("sales", "ada", "trainer", 400, "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"),
    ):
        response = await create(api, user, role, group, headers=limited)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert set(response.json()) == {"code", "message", "details"}
        assert response.headers["seatline-operation"]


async def test_what_does_not_exist_is_named_in_the_published_order(api):
    for path, status, code in (
        ("nothing/assignments/nobody/nonsense", 404, "USER_GROUP_DOES_NOT_EXIST"),
        ("sales/assignments/nobody/nonsense", 404, "USER_DOES_NOT_EXIST"),
        ("sales/assignments/ada/nonsense", 400, "ROLE_DOES_NOT_EXIST"),
        ("sales/assignments/ada/trainer", 404, "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST"),
    ):
        for method in ("GET", "DELETE"):
            response = await api.call(method, f"{GROUPS}/{path}")
            assert (method, response.status_code, response.json()["code"]) == (method, status, code)


@pytest.mark.parametrize("source", [SourceName.RULE, SourceName.PRIMARY])
async def test_a_derived_assignment_cannot_be_deleted_here(api, source):
    await api.arrange(given(SourceName.MANUAL, source))
    response = await api.call("DELETE", ADA)
    assert (response.status_code, response.json()["code"]) == (400, "DERIVED_ASSIGNMENT_DELETION_FORBIDDEN")
    kept = (await api.call("GET", ADA, params={"embed": "ACTIONS"})).json()
    assert (kept["source"], kept["actions"]) == (source, [])


async def test_a_limited_token_takes_away_no_more_than_it_may_give(api):
    await api.arrange(given(SourceName.MANUAL, role="mentor"))
    limited = await api.token("groups:write", roles=["trainer"])
    path = f"{GROUPS}/sales/assignments/ada/mentor"
    response = await api.call("DELETE", path, headers=limited)
    assert (response.status_code, response.json()["code"]) == (403, "ROLE_NOT_ASSIGNABLE")
    assert (await api.call("GET", path, params={"embed": "ACTIONS"}, headers=limited)).json()["actions"] == []


async def test_an_assignment_ends_with_its_person(api):
    await create(api)
    await api.arrange(DeleteUsers(keys=("ada",)))
    assert (await api.call("GET", ADA)).json()["code"] == "USER_DOES_NOT_EXIST"
