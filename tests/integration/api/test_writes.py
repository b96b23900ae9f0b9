"""What every write has in common: one operation, its headers, the wait, the key."""

import asyncio
from uuid import UUID

from tests.support.refusals import operations

GROUPS = "/api/admin/users/v4/user-groups"
CREATE = f"{GROUPS}/sales/assignments"
BODY = {"user_id": "ada", "role_id": "trainer"}


async def test_a_write_names_its_operation_which_tells_the_same(api):
    created = await api.call("POST", CREATE, BODY, headers={"X-Request-Id": "my-import"})
    number = created.headers["seatline-operation"]
    assert UUID(number).version == 7
    assert created.headers["x-request-id"] == "my-import"
    operation = await api.call("GET", f"/v1/operations/{number}")
    assert operation.json()["response"] == {"status": 201, "body": created.json()}
    assert operation.json()["status"] == "succeeded"


async def test_a_call_that_does_not_want_to_wait_is_told_where_to_look(api):
    accepted = await api.call("POST", CREATE, BODY, headers={"Prefer": "respond-async"})
    number = accepted.headers["seatline-operation"]
    assert accepted.status_code == 202
    assert accepted.headers["location"] == f"/v1/operations/{number}"
    assert accepted.headers["preference-applied"] == "respond-async"
    assert int(accepted.headers["retry-after"]) >= 0
    assert accepted.json()["id"] == number
    assert accepted.json()["status"] in {"queued", "succeeded"}


async def test_a_wait_that_runs_out_is_a_202(idle):
    for prefer, applied in (({"Prefer": "wait=0"}, "wait=0"), ({}, "respond-async")):
        response = await idle.call("POST", CREATE, BODY, headers=prefer)
        assert response.status_code == 202
        assert response.headers["preference-applied"] == applied
        assert response.json()["status"] == "queued"
        assert response.json()["response"] is None


async def test_a_wait_that_sufficed_is_said_to_have_been_applied(api):
    response = await api.call("POST", CREATE, BODY, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.headers["preference-applied"]) == (201, "wait=30")


async def test_a_repeated_key_is_the_same_operation_and_the_same_answer(api):
    key = {"Idempotency-Key": "import-7"}
    first = await api.call("POST", CREATE, BODY, headers=key | {"Accept-Language": "de"})
    again = await api.call("POST", CREATE, dict(reversed(BODY.items())), headers=key)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["seatline-operation"] == first.headers["seatline-operation"]
    assert again.headers["content-language"] == "de"


async def test_a_refusal_is_replayed_as_well(api):
    key = {"Idempotency-Key": "import-8"}
    answers = [await api.call("DELETE", f"{CREATE}/ada/trainer", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_a_key_that_meets_itself_in_flight_is_one_operation(api):
    key = {"Idempotency-Key": "import-9"}
    before = await operations(api)
    answers = await asyncio.gather(*(api.call("POST", CREATE, BODY, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["seatline-operation"] for answer in answers}) == 1
    assert sorted("idempotency-replayed" in answer.headers for answer in answers) == [False] + [True] * 7
    assert await operations(api) == before + 1


async def test_a_key_of_another_request_is_refused_and_nothing_is_made(api):
    key = {"Idempotency-Key": "import-10"}
    await api.call("POST", CREATE, BODY, headers=key)
    before = await operations(api)
    for method, path, body in (
        ("POST", CREATE, {**BODY, "user_id": "bo"}),
        ("POST", f"{GROUPS}/support/assignments", BODY),
        ("POST", f"{CREATE}?embed=ACTIONS", BODY),
        ("DELETE", f"{CREATE}/ada/trainer", None),
    ):
        refused = await api.call(method, path, body, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert "seatline-operation" not in refused.headers
    assert await operations(api) == before


async def test_keys_belong_to_their_tenant(api):
    stranger = await api.other_tenant("stranger")
    key = {"Idempotency-Key": "import-11"}
    await api.call("POST", CREATE, BODY, headers=key)
    theirs = await stranger.call("POST", CREATE, BODY, headers=key)
    assert theirs.json()["code"] == "USER_GROUP_DOES_NOT_EXIST"
    assert "idempotency-replayed" not in theirs.headers


async def test_what_is_no_key_is_refused(idle):
    for key in ("", "a b", "x" * 256, "é"):
        refused = await idle.call("POST", CREATE, BODY, headers={"Idempotency-Key": key.encode()})
        assert (refused.status_code, refused.json()["code"]) == (400, "IDEMPOTENCY_KEY_INVALID")
    assert await operations(idle) == 0
