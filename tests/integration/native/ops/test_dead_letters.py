"""Dead letters over HTTP: listed by error and one by one, counted, confirmed, redriven, discarded."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import serving
from tests.support.bad_handlers import RAISES, TIMES_OUT, VIOLATES
from tests.support.operators import drain, fail, while_applied

REDRIVE, DISCARD = "/v1/ops/dead-letters:redrive", "/v1/ops/dead-letters:discard"
NO_KEY = {"Idempotency-Key": "k" * 256}


@pytest.fixture
async def api(database_url):
    """Nothing is applied but by `drain`."""
    async with serving(database_url, with_worker=False) as api:
        yield api


@pytest.fixture
async def other(api):
    return await api.other_tenant("other")


async def get(api, operator, path):
    response = await api.call("GET", f"/v1/ops/dead-letters{path}", headers=operator)
    assert response.status_code == 200, response.text
    return response.json()


async def listed(api, operator, parameters=""):
    return [item["id"] for item in (await get(api, operator, parameters))["items"]]


async def act(api, operator, path, body, *tenants, headers=None):
    """The answer of a redrive or discard, while these tenants are served."""
    call = api.call("POST", path, body, headers={**operator, **(headers or {})})
    return await while_applied(api, tenants or [api.tenant], call)


async def groups_of(api, operator, parameters=""):
    return {
        item["message"].partition(" ")[0]: item for item in (await get(api, operator, f"/groups{parameters}"))["items"]
    }


async def test_errors_are_counted_over_all_tenants_with_a_sample(api, other, watcher):
    mine = await fail(api, api.tenant, RAISES, RAISES, VIOLATES)
    theirs = await fail(api, other.tenant, RAISES)
    page = await get(api, watcher, "/groups")
    assert (page["total"], page["next_cursor"], [item["count"] for item in page["items"]]) == (4, None, [3, 1])
    error = page["items"][0]
    assert (error["code"], error["kind"]) == ("OPERATION_RAISED", "groups.put")
    assert error["sample"] == {"tenant": "other", "operation_id": theirs[0]}
    assert error["first_seen"] < error["last_seen"]
    assert (await groups_of(api, watcher, "?tenant=acme"))["ByDesignError"]["count"] == 2
    assert (await groups_of(api, watcher, "?tenant=acme"))["ByDesignError"]["sample"]["operation_id"] == mine[1]
    first = await get(api, watcher, "/groups?limit=1")
    second = await get(api, watcher, f"/groups?limit=1&cursor={first['next_cursor']}")
    assert [*first["items"], *second["items"]] == page["items"]
    assert (first["total"], second["next_cursor"]) == (4, None)


async def test_dead_letters_are_listed_by_what_is_asked(api, other, watcher):
    mine = await fail(api, api.tenant, RAISES, VIOLATES, RAISES)
    theirs = await fail(api, other.tenant, RAISES, "Good")
    errors = await groups_of(api, watcher)
    raised, violated = errors["ByDesignError"]["fingerprint"], errors["UniqueViolationError"]["fingerprint"]
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat().replace("+", "%2B")
    for parameters, expected in (
        ("", [theirs[0], *mine[::-1]]),
        ("?tenant=acme", mine[::-1]),
        (f"?fingerprint={raised}", [theirs[0], mine[2], mine[0]]),
        (f"?fingerprint={raised}&tenant=acme", [mine[2], mine[0]]),
        (f"?fingerprint={violated}&kind=groups.put", [mine[1]]),
        (f"?fingerprint={violated}&code=OPERATION_TIMED_OUT", []),
        ("?code=OPERATION_RAISED&tenant=other", [theirs[0]]),
        ("?kind=users.put", []),
        (f"?since={hour_ago}&limit=2", [theirs[0], mine[2]]),
        (f"?until={hour_ago}", []),
    ):
        assert await listed(api, watcher, parameters) == expected, parameters
    item = (await get(api, watcher, f"?fingerprint={violated}"))["items"][0]
    assert (item["tenant"], item["fingerprint"], item["status"]) == ("acme", violated, "failed")
    assert item["error"]["message"].startswith("UniqueViolationError 23505")
    page = await get(api, watcher, "?limit=3")
    assert [*(one["id"] for one in page["items"]), *await listed(api, watcher, f"?cursor={page['next_cursor']}")] == [
        theirs[0], *mine[::-1],
    ]  # fmt: skip


async def test_all_that_match_are_redriven_by_an_operation_of_each_tenant(api, other, operator, watcher):
    mine, theirs = await fail(api, api.tenant, RAISES, RAISES), await fail(api, other.tenant, RAISES)
    fingerprint = (await groups_of(api, watcher))["ByDesignError"]["fingerprint"]
    body = {"filter": {"fingerprint": fingerprint}, "expected": 3}
    counted = await api.call("POST", f"{REDRIVE}?dry_run=true", body, headers=operator)
    assert (counted.status_code, counted.json()) == (200, {"matched": 3})
    assert len(await listed(api, watcher)) == 3
    answer = await act(api, operator, REDRIVE, body, api.tenant, other.tenant)
    assert (answer.status_code, answer.json()["matched"], answer.json()["redriven"]) == (200, 3, 3)
    assert {one["tenant"] for one in answer.json()["operations"]} == {"acme", "other"}
    await drain(api, api.tenant, other.tenant)
    assert await get(api, watcher, "/groups") == {"items": [], "next_cursor": None, "total": 0}
    for number in (*mine, *theirs):
        shown = (await api.call("GET", f"/v1/ops/operations/{number}", headers=watcher)).json()
        assert (shown["status"], shown["attempts"], shown["error"]) == ("succeeded", 0, None)
        moments = [moment["event"] for moment in shown["timeline"]]
        assert moments == ["accepted", "claimed", "failed", "redriven", "claimed", "applied", "finished"]
    for one in answer.json()["operations"]:
        shown = (await api.call("GET", f"/v1/ops/operations/{one['id']}", headers=watcher)).json()
        assert (shown["kind"], shown["tenant"], shown["status"]) == ("dead_letters.redrive", one["tenant"], "succeeded")
    [entry] = (await api.call("GET", "/v1/ops/audit?action=dead_letters.redrive", headers=watcher)).json()["items"]
    assert entry["details"] == {"filter": {"fingerprint": fingerprint}, "matched": 3}
    assert (entry["actor"]["name"], entry["tenant"]) == ("on call", None)


async def test_a_selection_is_redriven_and_what_is_no_dead_letter_any_more_does_not_count(api, operator, watcher):
    ids = await fail(api, api.tenant, RAISES, RAISES, "Good")
    answer = await act(api, operator, REDRIVE, {"ids": [ids[0], ids[2]]})
    assert (answer.status_code, answer.json()["matched"], answer.json()["redriven"]) == (200, 1, 1)
    assert await listed(api, watcher) == [ids[1]]
    again = await act(api, operator, REDRIVE, {"ids": [ids[0]]})
    assert again.json() == {"matched": 0, "operations": [], "redriven": 0}


async def test_another_number_than_was_confirmed_is_refused_and_nothing_happens(api, operator, watcher):
    ids = await fail(api, api.tenant, RAISES, RAISES)
    for path, more in ((REDRIVE, {}), (DISCARD, {"reason": "r"})):
        response = await api.call("POST", path, {"filter": {}, "expected": 1, **more}, headers=operator)
        assert (response.status_code, response.json()["code"]) == (409, "DEAD_LETTERS_CHANGED")
        assert "2 dead letters match now, not 1" in response.json()["detail"]
    assert await listed(api, watcher) == ids[::-1]
    found = await api.call("GET", "/v1/ops/operations?kind=dead_letters.redrive,dead_letters.discard", headers=watcher)
    assert found.json()["items"] == []


async def test_what_is_discarded_is_no_dead_letter_and_says_why(api, operator, watcher):
    ids = await fail(api, api.tenant, RAISES, RAISES)
    answer = await act(api, operator, DISCARD, {"filter": {"tenant": "acme"}, "reason": "sent by <b>mistake</b>"})
    assert (answer.status_code, answer.json()["discarded"]) == (200, 2)
    assert await listed(api, watcher) == []
    shown = (await api.call("GET", f"/v1/ops/operations/{ids[0]}", headers=watcher)).json()
    assert (shown["status"], shown["discard_reason"]) == ("failed", "sent by <b>mistake</b>")
    assert shown["timeline"][-1]["event"] == "discarded"
    [entry] = (await api.call("GET", "/v1/ops/audit?action=dead_letters.discard", headers=watcher)).json()["items"]
    assert entry["details"]["reason"] == "sent by <b>mistake</b>"
    assert entry["tenant"] == "acme"


async def test_a_large_redrive_is_accepted_at_once_and_tells_how_far_it_is(api, operator, watcher):
    await fail(api, api.tenant, *[RAISES] * 3)
    answer = await api.call("POST", REDRIVE, {"filter": {}}, headers={**operator, "Prefer": "respond-async"})
    assert (answer.status_code, answer.json()["matched"], "redriven" in answer.json()) == (202, 3, False)
    [operation] = answer.json()["operations"]
    assert answer.headers["Seatline-Operation"] == operation["id"]
    assert answer.headers["Location"] == f"/v1/ops/operations/{operation['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    await drain(api, api.tenant)
    shown = (await api.call("GET", f"/v1/ops/operations/{operation['id']}", headers=watcher)).json()
    assert (shown["status"], shown["progress"]) == ("succeeded", {"done": 3, "total": 3})


async def test_the_same_key_and_request_are_the_same_operations_and_answer(api, other, operator):
    await fail(api, api.tenant, RAISES)
    await fail(api, other.tenant, RAISES)
    tenants, key = (api.tenant, other.tenant), {"Idempotency-Key": "once"}
    first = await act(api, operator, REDRIVE, {"filter": {}}, *tenants, headers=key)
    await fail(api, api.tenant, RAISES)
    again = await act(api, operator, REDRIVE, {"filter": {}}, *tenants, headers=key)
    assert sorted(again.json()["operations"], key=str) == sorted(first.json()["operations"], key=str)
    assert (again.json()["redriven"], again.headers["Idempotency-Replayed"]) == (first.json()["redriven"], "true")
    reused = await act(api, operator, REDRIVE, {"filter": {"tenant": "acme"}}, *tenants, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    mine = await while_applied(
        api, [api.tenant], api.call("PUT", "/v1/groups/h", {"name": "H"}, headers={"Idempotency-Key": "once"})
    )
    assert mine.status_code == 201  # an operator's keys are none of the tenant's


async def test_what_fails_again_is_a_dead_letter_again(api, operator, watcher):
    [number] = await fail(api, api.tenant, RAISES)
    answer = await api.call("POST", REDRIVE, {"ids": [number]}, headers={**operator, "Prefer": "respond-async"})
    assert answer.status_code == 202
    await fail(api, api.tenant, "Good")
    shown = (await api.call("GET", f"/v1/ops/operations/{number}", headers=watcher)).json()
    assert [moment["event"] for moment in shown["timeline"]] == [
        "accepted", "claimed", "failed", "redriven", "claimed", "failed",
    ]  # fmt: skip
    assert await listed(api, watcher) == [number]
    assert (await get(api, watcher, "/groups"))["total"] == 1


async def test_a_timeout_is_an_error_of_its_own(api, watcher):
    await fail(api, api.tenant, TIMES_OUT)
    [error] = (await get(api, watcher, "/groups"))["items"]
    assert error["code"] == "OPERATION_TIMED_OUT"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (REDRIVE, {}, "ids"),
        (REDRIVE, {"ids": ["x"]}, "ids.0"),
        (REDRIVE, {"ids": []}, "ids"),
        (REDRIVE, {"ids": ["01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"], "filter": {}}, "ids"),
        (REDRIVE, {"ids": ["01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"] * 1001}, "ids"),
        (REDRIVE, {"filter": {"since": "soon"}}, "filter.since"),
        (REDRIVE, {"filter": {"colour": "red"}}, "filter.colour"),
        (REDRIVE, {"filter": {}, "expected": -1}, "expected"),
        (REDRIVE, {"filter": {}, "reason": "r"}, "reason"),
        (DISCARD, {"filter": {}}, "reason"),
        (DISCARD, {"filter": {}, "reason": ""}, "reason"),
        (DISCARD, {"filter": {}, "reason": "r" * 501}, "reason"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_the_field(api, operator, path, body, field):
    response = await api.call("POST", path, body, headers=operator)
    assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED"), response.text
    assert response.json()["errors"][0]["field"] == field


async def test_other_refusals(api, operator, watcher):
    for method, path, body, headers, status, code in (
        ("POST", REDRIVE, {"filter": {"tenant": "nobody"}}, operator, 404, "TENANT_DOES_NOT_EXIST"),
        ("POST", f"{REDRIVE}?dry_run=maybe", {"filter": {}}, operator, 400, "INVALID_PARAMETER"),
        ("POST", f"{REDRIVE}?dry_run=true", {"filter": {}}, {**operator, **NO_KEY}, 400, "IDEMPOTENCY_KEY_INVALID"),
        ("POST", REDRIVE, {"filter": {}}, watcher, 403, "FORBIDDEN"),
        ("GET", "/v1/ops/dead-letters?tenant=nobody", None, watcher, 404, "TENANT_DOES_NOT_EXIST"),
        ("GET", "/v1/ops/dead-letters/groups?tenant=nobody", None, watcher, 404, "TENANT_DOES_NOT_EXIST"),
        ("GET", "/v1/ops/dead-letters/groups?cursor=x", None, watcher, 400, "INVALID_PARAMETER"),
        ("GET", "/v1/ops/dead-letters?cursor=x", None, watcher, 400, "INVALID_PARAMETER"),
    ):
        response = await api.call(method, path, body, headers=headers)
        assert (response.status_code, response.json()["code"]) == (status, code), path
