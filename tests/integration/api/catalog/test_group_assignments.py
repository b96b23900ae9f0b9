"""Assignments of program licences to groups: who gets a seat, who waits, what is withdrawn, kept and refused."""

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from tests.support.directory import add_groups, add_members, add_people
from tests.support.waiting import found
from workers.chunk_sizes import MOST_ROWS

USERS = "/api/catalog/licenses/program/assignment/"
GROUPS = "/api/catalog/licenses/program/assignment/group/"
URL = "https://learn.example.org/start"
PEOPLE = MOST_ROWS + 500  # more than a first chunk takes


async def member(catalog, user, op=AssignmentOp.ASSIGN, group="sales"):
    change = AssignmentChange(op=op, group=group, user=user, role="member")
    await catalog.api.arrange(ChangeAssignments(items=(change,)))


async def seats(catalog):
    """Who is shown with the licence: fulfilled or not."""
    return {one["username"].partition(".")[0]: one["fulfilled"] for one in await catalog.listed()}


def counts(shown):
    return tuple(shown[name] for name in ("user_count", "assigned_count", "waiting_count", "fulfilled"))


async def test_the_page_s_body_posted_as_it_stands_is_answered_as_the_page_describes(catalog):
    await catalog.update(count=5)
    response = await catalog.post(
        GROUPS, group_id=catalog.groups["sales"], platform_key="acme", platform_org="acme-org", active=True,
        fulfilled=False, redirect_to=URL, metadata={"a": [1, None]},
    )  # fmt: skip
    assert response.status_code == 200
    assert "seatline-operation" in response.headers
    shown = response.json()
    assert list(shown) == [
        "id", "group_id", "group_name", "active", "fulfilled", "redirect_to", "metadata", "created", "modified",
        "license_id", "license_name", "program_key", "program_name", "user_count", "assigned_count", "waiting_count",
    ]  # fmt: skip
    assert shown | {"id": 0, "created": "", "modified": ""} == {
        "id": 0, "group_id": catalog.groups["sales"], "group_name": "Group sales", "active": True, "fulfilled": True,
        "redirect_to": URL, "metadata": {"a": [1, None]}, "created": "", "modified": "",
        "license_id": catalog.license_id, "license_name": "Data 2026", "program_key": "data", "program_name": "data",
        "user_count": 3, "assigned_count": 3, "waiting_count": 0,
    }  # fmt: skip
    assert await catalog.listed(GROUPS) == [shown]
    assert await seats(catalog) == {"ada": True, "bo": True, "cy": True}
    assert await catalog.used() == 3


async def test_too_few_seats_are_refused_and_change_nothing(catalog):
    details = await catalog.refused("NOT_ENOUGH_SEATS", path=GROUPS, group_id=catalog.groups["sales"])
    assert (details["requested"], details["available"]) == (3, 2)
    assert (await catalog.listed(GROUPS), await catalog.listed()) == ([], [])


async def test_members_who_hold_the_licence_already_need_no_seat(catalog):
    await catalog.assigned(username="ada.user")
    details = await catalog.refused("NOT_ENOUGH_SEATS", path=GROUPS, group_id=catalog.groups["sales"])
    assert (details["requested"], details["available"]) == (2, 1)
    await catalog.update(count=3)
    assert counts(await catalog.given()) == (3, 3, 0, True)
    assert [one["direct"] for one in await catalog.listed()] == [True, False, False]


async def test_who_finds_no_seat_waits_in_order_where_the_caller_wants_it(catalog):
    shown = await catalog.given(shortage="waitlist")
    assert counts(shown) == (3, 2, 1, False)
    assert await seats(catalog) == {"ada": True, "bo": True, "cy": False}
    assert [one["active"] for one in await catalog.listed()] == [True, True, True]
    await catalog.update(count=3)
    assert counts((await catalog.listed(GROUPS))[0]) == (3, 3, 0, True)
    assert (await seats(catalog))["cy"] is True


async def test_who_joins_later_gets_the_licence_and_who_leaves_loses_it(catalog):
    await catalog.update(count=4)
    await catalog.given()
    await member(catalog, "di")
    assert await seats(catalog) == {"ada": True, "bo": True, "cy": True, "di": True}
    await catalog.update(count=5)
    await member(catalog, "ada", AssignmentOp.UNASSIGN)
    assert "ada" not in await seats(catalog)
    assert counts((await catalog.listed(GROUPS))[0]) == (3, 3, 0, True)


async def test_a_join_is_never_refused_for_want_of_seats(catalog):
    await catalog.update(count=3)
    await catalog.given(shortage="reject")
    await member(catalog, "di")
    assert (await seats(catalog))["di"] is False
    assert counts((await catalog.listed(GROUPS))[0]) == (4, 3, 1, False)
    await member(catalog, "ada", AssignmentOp.UNASSIGN)
    assert counts((await catalog.listed(GROUPS))[0]) == (3, 3, 0, True)


async def test_a_held_assignment_gives_nothing_until_it_is_let_go(catalog):
    held = await catalog.given(hold=True, metadata={"a": 1})
    assert (counts(held), held["active"]) == ((3, 0, 0, False), True)
    assert await catalog.listed() == []
    await catalog.update(count=3)
    assert counts(await catalog.given(redirect_to=URL)) == (3, 0, 0, False)
    given = await catalog.given(hold=False)
    assert (given["id"], counts(given)) == (held["id"], (3, 3, 0, True))
    assert (given["metadata"], given["redirect_to"]) == ({"a": 1}, URL)


async def test_a_sent_fulfilled_holds_nothing_back(catalog):
    await catalog.update(count=3)
    assert counts(await catalog.given(fulfilled=False)) == (3, 3, 0, True)
    assert counts(await catalog.given("empty", fulfilled=False)) == (0, 0, 0, True)


async def test_a_second_post_updates_what_was_sent_and_nothing_else(catalog):
    await catalog.update(count=3)
    first = await catalog.given(redirect_to=URL, metadata={"a": 1})
    assert await catalog.given() == first
    cleared = await catalog.given(redirect_to=None, metadata=None)
    assert cleared == first | {"redirect_to": None, "metadata": None, "modified": cleared["modified"]}
    assert cleared["modified"] > first["modified"]
    assert await catalog.listed(GROUPS) == [cleared]


async def test_an_inactive_assignment_withdraws_its_seats_and_keeps_its_row(catalog):
    await catalog.update(count=3)
    await catalog.assigned(username="bo.user")
    first = await catalog.given()
    inactive = await catalog.given(active=False)
    assert (inactive["id"], inactive["active"], counts(inactive)) == (first["id"], False, (3, 0, 0, False))
    assert await seats(catalog) == {"bo": True}
    again = await catalog.given(active=True)
    assert (again["id"], counts(again)) == (first["id"], (3, 3, 0, True))


async def test_an_assignment_may_be_created_inactive(catalog):
    shown = await catalog.given(active=False)
    assert (shown["active"], counts(shown)) == (False, (3, 0, 0, False))
    assert await catalog.listed() == []


@pytest.mark.parametrize("remove", [{}, {"remove_user_assignments": "true"}])
async def test_deleting_an_assignment_ends_what_it_gave(catalog, remove):
    await catalog.update(count=3)
    await catalog.assigned(username="bo.user")
    given = await catalog.given()
    response = await catalog.delete(given["id"], GROUPS, **remove)
    assert (response.status_code, response.content) == (200, b"")
    assert "seatline-operation" in response.headers
    assert (await catalog.listed(GROUPS), await seats(catalog)) == ([], {"bo": True})
    again = await catalog.delete(given["id"], GROUPS)
    assert (again.status_code, again.json()["code"]) == (404, "GROUP_LICENSE_DOES_NOT_EXIST")
    assert again.json()["details"] == {"field": "assignment_id"}


async def test_deleting_an_assignment_may_leave_its_seats_as_direct_ones(catalog):
    await catalog.update(count=3)
    given = await catalog.given()
    before = await catalog.listed()
    assert (await catalog.delete(given["id"], GROUPS, remove_user_assignments="false")).status_code == 200
    after = await catalog.listed()
    assert [(one["id"], one["direct"], one["fulfilled"]) for one in after] == [
        (one["id"], True, True) for one in before
    ]
    assert (await catalog.listed(GROUPS), await catalog.used()) == ([], 3)


async def test_groups_and_licences_that_do_not_exist(catalog):
    stranger = await catalog.api.other_tenant("stranger")
    answer = await stranger.call("PUT", "/v1/groups/x", {"name": "X"})
    for group_id in (10**9, 2**63 - 1, answer.json()["id"]):
        details = await catalog.refused("USER_GROUP_DOES_NOT_EXIST", path=GROUPS, group_id=group_id)
        assert details == {"field": "group_id"}
    put = {"name": "B", "kind": "bundle", "code": "IDU", "capacity": 5}
    bundle = (await catalog.api.call("PUT", "/v1/licenses/b", put)).json()["id"]
    for license_id in (10**9, 2**63 - 1, bundle):
        body = {"license_id": license_id, "group_id": catalog.groups["sales"]}
        response = await catalog.api.call("POST", GROUPS, body)
        assert (response.status_code, response.json()["code"]) == (404, "LICENSE_DOES_NOT_EXIST")
        assert response.json()["details"] == {"field": "license_id"}


async def test_assignments_of_others_and_of_bundles_cannot_be_deleted(catalog, rows):
    given = await catalog.given("empty")
    stranger = await catalog.api.other_tenant("stranger")
    of_bundle = await rows.grant(await rows.pool("b", kind="bundle", code="IDU"), "empty")
    for api, number in ((stranger, given["id"]), (catalog.api, of_bundle), (catalog.api, 2**63 - 1)):
        response = await api.call("DELETE", GROUPS, params={"assignment_id": str(number)})
        assert (response.status_code, response.json()["code"]) == (404, "GROUP_LICENSE_DOES_NOT_EXIST")
    assert [one["id"] for one in await catalog.listed(GROUPS)] == [given["id"]]


async def test_a_licence_that_is_not_to_be_given_is_refused(catalog):
    sales = catalog.groups["sales"]
    await catalog.update(count=5, active=False)
    await catalog.refused("LICENSE_IS_NOT_ACTIVE", path=GROUPS, group_id=sales)
    await catalog.update(active=True, expired="2026-01-02T00:00:00Z")
    await catalog.refused("LICENSE_EXPIRED", path=GROUPS, group_id=sales)
    assert await catalog.listed(GROUPS) == []
    assert (await catalog.given(hold=True))["assigned_count"] == 0


async def test_a_licence_that_starts_later_is_not_fulfilled_before(catalog):
    await catalog.update(count=3, started="2099-01-01T00:00:00Z")
    assert counts(await catalog.given()) == (3, 3, 0, False)
    assert set((await seats(catalog)).values()) == {False}
    await catalog.update(started="2026-01-01T00:00:00Z")
    assert counts((await catalog.listed(GROUPS))[0]) == (3, 3, 0, True)


async def test_a_dry_run_tells_what_would_be_and_changes_nothing(catalog):
    body = {"license_id": catalog.license_id, "group_id": catalog.groups["sales"]}
    dry = {"dry_run": "true"}
    refused = await catalog.api.call("POST", GROUPS, body, params=dry)
    assert (refused.status_code, refused.json()["code"]) == (400, "NOT_ENOUGH_SEATS")
    shown = (await catalog.api.call("POST", GROUPS, body | {"shortage": "waitlist"}, params=dry)).json()
    assert (shown["requested"], shown["available"], shown["would_wait"]) == (3, 2, 1)
    assert counts(shown) == (3, 2, 1, False)
    assert (await catalog.listed(GROUPS), await catalog.listed()) == ([], [])
    await catalog.update(count=None)
    unlimited = (await catalog.api.call("POST", GROUPS, body, params=dry)).json()
    assert (unlimited["requested"], unlimited["available"], unlimited["would_wait"]) == (3, None, 0)
    given = await catalog.given()
    assert "requested" not in given
    response = await catalog.delete(given["id"], GROUPS, **dry)
    assert (response.status_code, response.content) == (200, b"")
    assert (len(await catalog.listed(GROUPS)), await catalog.used()) == (1, 3)


async def test_a_repeated_key_gives_the_same_answer(catalog):
    body = {"license_id": catalog.license_id, "group_id": catalog.groups["sales"], "shortage": "waitlist"}
    answers = [await catalog.api.call("POST", GROUPS, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_what_groups_give_is_not_ended_here(catalog):
    await catalog.update(count=5)
    await catalog.given()
    [ada, *_] = await catalog.listed()
    assert (ada["direct"], ada["fulfilled"]) == (False, True)
    expected = {"groups": [{"id": catalog.groups["sales"], "key": "sales"}]}
    details = await catalog.refused("INHERITED_ASSIGNMENT", user_id=ada["user_id"], active=False)
    assert details["groups"] == expected["groups"]
    response = await catalog.delete(ada["id"])
    assert (response.status_code, response.json()["code"]) == (400, "INHERITED_ASSIGNMENT")
    assert response.json()["details"]["groups"] == expected["groups"]
    noted = await catalog.assigned(user_id=ada["user_id"], direct=False, metadata={"a": 1})
    assert (noted["direct"], noted["metadata"]) == (False, {"a": 1})


async def test_a_direct_source_beside_a_group_s_needs_no_seat_and_ends_alone(catalog):
    await catalog.update(count=3)
    await catalog.given()
    [ada, *_] = await catalog.listed()
    direct = await catalog.assigned(user_id=ada["user_id"])
    assert (direct["id"], direct["direct"]) == (ada["id"], True)
    assert await catalog.used() == 3
    inactive = await catalog.assigned(user_id=ada["user_id"], active=False)
    assert (inactive["active"], inactive["direct"], inactive["fulfilled"]) == (True, False, True)
    await catalog.assigned(user_id=ada["user_id"])
    assert (await catalog.delete(ada["id"])).status_code == 200
    assert [one["direct"] for one in await catalog.listed()] == [False, False, False]


async def test_a_large_group_s_answer_comes_after_the_first_chunk_and_its_counts_grow(catalog, sql):
    await catalog.update(count=None)
    await add_people(sql, catalog.api.tenant.id, PEOPLE)
    await add_groups(sql, catalog.api.tenant.id, 1)
    await add_members(sql, catalog.api.tenant.id, "g1", PEOPLE)
    await sql.execute("UPDATE app_user SET active = true")
    group_id = await sql.fetchval(
        "UPDATE user_group SET user_count = $2, assignment_count = $2 WHERE tenant_id = $1 AND key = 'g1' RETURNING id",
        catalog.api.tenant.id, PEOPLE,
    )  # fmt: skip
    headers = {"Idempotency-Key": "k"}
    body = {"license_id": catalog.license_id, "group_id": group_id}
    response = await catalog.api.call("POST", GROUPS, body, headers=headers)
    assert response.status_code == 200
    shown = response.json()
    assert 0 < shown["assigned_count"] < PEOPLE == shown["user_count"]
    assert shown["fulfilled"] is False

    async def is_fulfilled():
        return (await catalog.listed(GROUPS))[0]["fulfilled"]

    await found(is_fulfilled)
    assert counts((await catalog.listed(GROUPS))[0]) == (PEOPLE, PEOPLE, 0, True)
    address = f"/v1/operations/{response.headers['seatline-operation']}"
    operation = (await catalog.api.call("GET", address)).json()
    assert (operation["status"], operation["response"]) == ("succeeded", {"status": 200, "body": shown})
    assert operation["progress"] == {"done": PEOPLE, "total": PEOPLE}
    assert (await catalog.api.call("POST", GROUPS, body, headers=headers)).content == response.content
