"""Assignments of program licences to people and addresses: who is meant, what is given, kept, refused and ended."""

from domain.commands import DeleteUsers, PutUsers, UserPut

USERS = "/api/catalog/licenses/program/assignment/"
URL = "https://learn.example.org/start"


async def test_the_page_s_body_posted_as_it_stands_is_answered_as_the_page_describes(catalog):
    response = await catalog.post(
        USERS, user_id=catalog.people["ada"], username="ada.user", email="ada@example.org", platform_key="acme",
        platform_org="acme-org", active=True, fulfilled=False, direct=True, redirect_to=URL, metadata={"a": [1, None]},
    )  # fmt: skip
    assert response.status_code == 200
    shown = response.json()
    assert list(shown) == [
        "id", "user_id", "username", "name", "email", "active", "fulfilled", "direct", "redirect_to", "metadata",
        "created", "modified", "license_id", "license_name", "program_key",
    ]  # fmt: skip
    assert shown | {"id": 0, "created": "", "modified": ""} == {
        "id": 0, "user_id": catalog.people["ada"], "username": "ada.user", "name": "Ada Young",
        "email": "ada@Example.org", "active": True, "fulfilled": True, "direct": True, "redirect_to": URL,
        "metadata": {"a": [1, None]}, "created": "", "modified": "", "license_id": catalog.license_id,
        "license_name": "Data 2026", "program_key": "data",
    }  # fmt: skip
    assert await catalog.listed() == [shown]
    assert await catalog.used() == 1


async def test_the_first_name_of_a_person_decides(catalog):
    ada, bo = catalog.people["ada"], catalog.people["bo"]
    assert (await catalog.assigned(user_id=ada, username="bo.user", email="cy@example.org"))["user_id"] == ada
    assert (await catalog.assigned(username="BO.user", email="ada@example.org"))["user_id"] == bo
    assert (await catalog.assigned(email="ADA@example.org"))["user_id"] == ada


async def test_an_unknown_person_is_found_by_the_address_that_was_sent_too(catalog):
    assert (await catalog.assigned(user_id=10**9, email="ada@example.org"))["user_id"] == catalog.people["ada"]
    assert (await catalog.assigned(username="nobody", email="new@example.org"))["user_id"] is None
    assert await catalog.refused("USER_DOES_NOT_EXIST", user_id=10**9) == {"field": "user_id"}
    assert await catalog.refused("USER_DOES_NOT_EXIST", username="nobody") == {"field": "username"}
    assert await catalog.refused("USER_DOES_NOT_EXIST", user_id=10**9, username="ada.user") == {"field": "user_id"}


async def test_people_and_licences_of_others_do_not_exist(catalog):
    stranger = await catalog.api.other_tenant("stranger")
    await stranger.arrange(PutUsers(items=(UserPut(key="x", username="x.user"),)))
    foreign = (await stranger.call("GET", "/v1/users/x")).json()["id"]
    await catalog.refused("USER_DOES_NOT_EXIST", user_id=foreign)
    for license_id in (10**9, 2**63 - 1):
        body = {"license_id": license_id, "username": "ada.user"}
        response = await catalog.api.call("POST", USERS, body)
        assert (response.status_code, response.json()["code"]) == (404, "LICENSE_DOES_NOT_EXIST")
        assert response.json()["details"] == {"field": "license_id"}
    response = await stranger.call("POST", USERS, {"license_id": catalog.license_id, "username": "x.user"})
    assert response.json()["code"] == "LICENSE_DOES_NOT_EXIST"


async def test_bundles_are_not_assigned_here(catalog):
    put = {"name": "B", "kind": "bundle", "code": "IDU", "capacity": 5}
    bundle = (await catalog.api.call("PUT", "/v1/licenses/b", put)).json()["id"]
    response = await catalog.api.call("POST", USERS, {"license_id": bundle, "username": "ada.user"})
    assert (response.status_code, response.json()["code"]) == (404, "LICENSE_DOES_NOT_EXIST")


async def test_an_unknown_address_holds_a_seat_until_its_person_appears(catalog):
    shown = await catalog.assigned(email="New@Example.org", metadata={"a": 1})
    assert (shown["user_id"], shown["username"], shown["name"]) == (None, None, None)
    assert (shown["email"], shown["active"], shown["fulfilled"]) == ("New@Example.org", True, False)
    assert (await catalog.assigned(email="new@example.org"))["id"] == shown["id"]
    assert await catalog.used() == 1
    await catalog.api.arrange(PutUsers(items=(UserPut(key="new", username="new", email="new@example.ORG"),)))
    [bound] = await catalog.listed()
    assert (bound["id"], bound["username"], bound["email"]) == (shown["id"], "new", "new@example.ORG")
    assert (bound["fulfilled"], bound["metadata"]) == (True, {"a": 1})
    assert await catalog.used() == 1


async def test_an_address_whose_person_holds_the_licence_merges_into_the_person_s(catalog):
    ada = await catalog.assigned(username="ada.user", redirect_to=URL)
    address = await catalog.assigned(email="second@example.org", metadata={"a": 1})
    assert await catalog.used() == 2
    put = UserPut(key="ada", username="ada.user", email="second@example.org", first_name="Ada", last_name="Young")
    await catalog.api.arrange(PutUsers(items=(put,)))
    [merged] = await catalog.listed()
    assert (merged["id"], merged["redirect_to"], merged["metadata"]) == (ada["id"], URL, {"a": 1})
    assert await catalog.used() == 1
    assert (await catalog.delete(address["id"])).status_code == 404


async def test_a_second_post_updates_what_was_sent_and_nothing_else(catalog):
    first = await catalog.assigned(username="ada.user", redirect_to=URL, metadata={"a": 1})
    again = await catalog.assigned(username="ada.user")
    assert again == first
    moved = await catalog.assigned(username="ada.user", redirect_to=f"{URL}/2")
    assert moved == first | {"redirect_to": f"{URL}/2", "modified": moved["modified"]}
    cleared = await catalog.assigned(username="ada.user", redirect_to=None, metadata=None)
    assert (cleared["redirect_to"], cleared["metadata"]) == (None, None)
    assert (cleared["id"], cleared["created"]) == (first["id"], first["created"])
    assert cleared["modified"] > first["modified"]
    assert await catalog.used() == 1


async def test_a_sent_fulfilled_holds_nothing_back(catalog):
    for fulfilled in (False, True):
        assert (await catalog.assigned(username="ada.user", fulfilled=fulfilled))["fulfilled"] is True


async def test_no_seat_is_left(catalog):
    await catalog.assigned(username="ada.user")
    await catalog.assigned(email="new@example.org")
    before = await catalog.listed()
    details = await catalog.refused("NOT_ENOUGH_SEATS", username="bo.user", metadata={"a": 1})
    assert (details["requested"], details["available"]) == (1, 0)
    assert await catalog.listed() == before
    assert (await catalog.assigned(username="ada.user", metadata={"a": 1}))["metadata"] == {"a": 1}
    await catalog.update(count=3)
    assert (await catalog.assigned(username="bo.user"))["fulfilled"] is True


async def test_an_assignment_set_inactive_gives_its_seat_back_and_keeps_its_row(catalog):
    ada = await catalog.assigned(username="ada.user", metadata={"a": 1})
    inactive = await catalog.assigned(username="ada.user", active=False)
    assert inactive | {"modified": ""} == ada | {"active": False, "fulfilled": False, "modified": ""}
    assert await catalog.used() == 0
    assert (await catalog.assigned(username="ada.user", redirect_to=URL))["active"] is False
    for user in ("bo.user", "cy.user"):
        await catalog.assigned(username=user)
    await catalog.refused("NOT_ENOUGH_SEATS", username="ada.user", active=True)
    await catalog.update(count=3)
    revived = await catalog.assigned(username="ada.user", active=True)
    assert (revived["id"], revived["active"], revived["fulfilled"]) == (ada["id"], True, True)


async def test_an_assignment_may_be_created_inactive(catalog):
    shown = await catalog.assigned(username="ada.user", active=False)
    assert (shown["active"], shown["fulfilled"]) == (False, False)
    assert await catalog.used() == 0
    assert (await catalog.assigned(username="ed.user", active=False))["active"] is False


async def test_who_or_what_is_not_active_is_refused(catalog):
    await catalog.refused("USER_IS_NOT_ACTIVE", username="ed.user")
    ada = await catalog.assigned(username="ada.user")
    await catalog.update(active=False)
    await catalog.refused("LICENSE_IS_NOT_ACTIVE", username="bo.user")
    await catalog.refused("LICENSE_IS_NOT_ACTIVE", email="new@example.org")
    assert (await catalog.listed()) == [ada]
    await catalog.update(active=True, expired="2026-01-02T00:00:00Z")
    await catalog.refused("LICENSE_EXPIRED", username="bo.user")


async def test_a_licence_that_starts_later_holds_the_seat_and_is_not_fulfilled(catalog):
    await catalog.update(started="2099-01-01T00:00:00Z")
    assert (await catalog.assigned(username="ada.user"))["fulfilled"] is False
    assert await catalog.used() == 1
    await catalog.update(started="2026-01-01T00:00:00Z")
    assert [one["fulfilled"] for one in await catalog.listed()] == [True]


async def test_deleting_an_assignment_ends_it(catalog):
    ada = await catalog.assigned(username="ada.user")
    new = await catalog.assigned(email="new@example.org")
    for shown in (ada, new):
        response = await catalog.delete(shown["id"])
        assert (response.status_code, response.content) == (200, b"")
        assert "seatline-operation" in response.headers
    assert (await catalog.listed(), await catalog.used()) == ([], 0)
    again = await catalog.delete(ada["id"])
    assert (again.status_code, again.json()["code"]) == (404, "LICENSE_ASSIGNMENT_DOES_NOT_EXIST")
    assert again.json()["details"] == {"field": "assignment_id"}


async def test_assignments_of_others_and_of_bundles_cannot_be_deleted(catalog):
    ada = await catalog.assigned(username="ada.user")
    stranger = await catalog.api.other_tenant("stranger")
    put = {"name": "B", "kind": "bundle", "code": "IDU", "capacity": 5}
    await catalog.api.call("PUT", "/v1/licenses/b", put)
    item = {"op": "assign", "license": "b", "user": "bo"}
    batch = await catalog.api.call("POST", "/v1/license-assignments:batch", {"items": [item]})
    of_bundle = batch.json()["items"][0]["body"]["id"]
    for api, number in ((stranger, ada["id"]), (catalog.api, of_bundle), (catalog.api, 2**63 - 1)):
        response = await api.call("DELETE", USERS, params={"assignment_id": str(number)})
        assert (response.status_code, response.json()["code"]) == (404, "LICENSE_ASSIGNMENT_DOES_NOT_EXIST")
    assert len(await catalog.listed()) == 1


async def test_a_deleted_user_s_assignment_ends(catalog):
    await catalog.assigned(username="ada.user")
    await catalog.api.arrange(DeleteUsers(keys=("ada",)))
    assert (await catalog.listed(), await catalog.used()) == ([], 0)


async def test_an_indirect_assignment_needs_a_group(catalog):
    for user in ({"username": "ada.user"}, {"email": "new@example.org"}):
        assert await catalog.refused("NO_GROUP_SOURCE", direct=False, **user) == {"field": "direct"}
    await catalog.assigned(username="ada.user")
    await catalog.refused("NO_GROUP_SOURCE", username="ada.user", direct=False, metadata={"a": 1})


async def test_a_repeated_key_gives_the_same_answer(catalog):
    body = {"license_id": catalog.license_id, "username": "ada.user"}
    answers = [await catalog.api.call("POST", USERS, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[0].headers["seatline-operation"] == answers[1].headers["seatline-operation"]
