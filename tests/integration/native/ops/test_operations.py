"""Operators find any one operation, look into it, read its request on record, and take back what is queued."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from infra.postgres.outbox_relay import mark_published, pending_messages
from infra.postgres.retention import remove_old_outbox
from tests.support.api import serving
from tests.support.bad_handlers import RAISES
from tests.support.directory_commands import change
from tests.support.engine import Asked, accept
from tests.support.operators import drain, fail, queue, uuids, while_applied
from tests.support.seats import assign, groups, join, people, program, put


@pytest.fixture
async def api(database_url):
    """Nothing is applied but by `drain`."""
    async with serving(database_url, with_worker=False) as api:
        yield api


@pytest.fixture
async def other(api):
    return await api.other_tenant("other")


async def found(api, operator, parameters=""):
    response = await api.call("GET", f"/v1/ops/operations{parameters}", headers=operator)
    assert response.status_code == 200, response.text
    return response.json()


async def ids_found(api, operator, parameters=""):
    return [item["id"] for item in (await found(api, operator, parameters))["items"]]


async def one(api, operator, number, parameters=""):
    response = await api.call("GET", f"/v1/ops/operations/{number}{parameters}", headers=operator)
    assert response.status_code == 200, response.text
    return response.json()


async def taken_back(api, operator, number):
    """The answer of a cancellation that is asked for before any worker comes."""
    asking = asyncio.create_task(api.call("POST", f"/v1/ops/operations/{number}:cancel", headers=operator))
    while "cancel_requested" not in [moment["event"] for moment in (await one(api, operator, number))["timeline"]]:
        assert not asking.done()
    await drain(api, api.tenant)
    return await asyncio.wait_for(asking, 10)


async def all_pages(api, operator, parameters):
    ids, cursor = [], ""
    while cursor is not None:
        page = await found(api, operator, f"?{parameters}{cursor and '&cursor='}{cursor}")
        assert (page["next_cursor"] is None) is (page["scanned_until"] is None)
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    return ids


async def test_operations_of_all_tenants_come_newest_first_and_each_names_its_tenant(api, other, watcher):
    mine, theirs = [], []
    for n in range(4):
        mine += await queue(api, api.tenant, f"Mine {n}")
        theirs += await queue(api, other.tenant, f"Theirs {n}")
    expected = [number for pair in zip(mine, theirs, strict=True) for number in pair][::-1]
    assert await ids_found(api, watcher) == expected
    assert await all_pages(api, watcher, "limit=3") == expected
    assert await all_pages(api, watcher, "limit=1&tenant=other") == theirs[::-1]
    assert await all_pages(api, watcher, "limit=3&status=queued") == expected
    first = (await found(api, watcher))["items"][0]
    assert (first["tenant"], first["kind"], first["status"]) == ("other", "groups.put", "queued")
    assert (first["progress"], first["error"], first["started_at"]) == ({"done": 0, "total": 1}, None, None)


async def test_one_is_found_by_its_id_or_its_key_whosever_it_is(api, other, watcher):
    [mine] = await queue(api, api.tenant, "Mine", idempotency_key="a-key")
    [theirs] = await queue(api, other.tenant, "Theirs", idempotency_key="a-key")
    assert await ids_found(api, watcher, f"?id={mine}") == [mine]
    assert await ids_found(api, watcher, f"?id={mine}&tenant=other") == []
    assert await ids_found(api, watcher, "?idempotency_key=a-key") == [theirs, mine]
    assert await ids_found(api, watcher, "?idempotency_key=a-key&tenant=acme") == [mine]
    assert await ids_found(api, watcher, f"?idempotency_key=a-key&id={theirs}") == [theirs]
    assert (await found(api, watcher, f"?id={mine}"))["items"][0]["idempotency_key"] == "a-key"


async def test_operations_are_found_by_status_kind_and_time(api, watcher):
    failed, done = await fail(api, api.tenant, RAISES, "Good")
    [queued] = await queue(api, api.tenant, "Later")
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat().replace("+", "%2B")
    for parameters, expected in (
        ("status=failed", [failed]),
        ("status=queued,running", [queued]),
        ("status=succeeded", [done]),
        ("status=succeeded,failed,queued", [queued, done, failed]),
        ("kind=groups.put", [queued, done, failed]),
        ("kind=users.put", []),
        ("kind=users.put&tenant=acme", []),
        (f"since={before}", [queued, done, failed]),
        (f"until={before}", []),
        (f"status=queued&until={before}", []),
    ):
        assert await ids_found(api, watcher, f"?{parameters}") == expected, parameters


async def test_operations_are_found_by_whom_they_name(api, watcher):
    database, tenant = api.services.database, api.tenant
    commands = (
        people("ann", "bob"),
        groups("sales", "ann"),
        put(program("photo", 5)),
        join("sales", "ann"),
        assign("photo", "bob"),
        change(AssignmentOp.ASSIGN, 3),
    )
    asked = [Asked(tenant_id=tenant.id, command=command) for command in commands]
    persons, teams, licenses, joins, seats, _ = map(str, await accept(database, asked))
    for parameters, expected in (
        ("user=ann", [joins, persons]),
        ("group=sales", [joins, teams]),
        ("group=ann", [teams]),
        ("license=photo", [seats, licenses]),
        ("user=bob&license=photo", [seats]),
        ("user=ann&kind=users.put", [persons]),
        ("user=an", []),
        ("user=%22", []),
    ):
        assert await ids_found(api, watcher, f"?tenant=acme&{parameters}") == expected, parameters


async def test_a_search_that_finds_nothing_says_how_far_it_looked(api, watcher, monkeypatch):
    monkeypatch.setattr("infra.postgres.reads.found_operations._WINDOW", 2)
    monkeypatch.setattr("infra.postgres.reads.found_operations._ROUNDS", 1)
    [wanted] = await fail(api, api.tenant, RAISES)
    await fail(api, api.tenant, *["Good"] * 7)
    for parameters in ("status=failed", "status=failed&tenant=acme"):
        page = await found(api, watcher, f"?{parameters}")
        assert page["items"] == []
        assert page["scanned_until"] is not None
        assert await all_pages(api, watcher, parameters) == [wanted]


async def test_an_operation_shows_its_moments_its_outcomes_and_its_events(api, operator, watcher):
    commands = (people("ann"), groups("g"), join("g", *"xyz"))
    asked = [Asked(tenant_id=api.tenant.id, command=command) for command in commands]
    *_, number = await accept(api.services.database, asked)
    await drain(api, api.tenant)
    shown = await one(api, watcher, number)
    assert [moment["event"] for moment in shown["timeline"]] == ["accepted", "claimed", "applied", "finished"]
    assert [moment["at"] for moment in shown["timeline"]] == sorted(moment["at"] for moment in shown["timeline"])
    assert (shown["status"], shown["items"]["succeeded"], shown["items"]["refused"]) == ("rejected", 0, 3)
    assert [(one["position"], one["code"]) for one in shown["items"]["outcomes"]] == [
        (n, "USER_DOES_NOT_EXIST") for n in range(3)
    ]
    assert (shown["events"]["written"], shown["events"]["published"], shown["request"]) == (1, 0, "redacted")
    page = (await one(api, watcher, number, "?outcomes_after=1&outcomes_limit=1"))["items"]
    assert ([one["position"] for one in page["outcomes"]], page["next"]) == ([1], 2)
    async with api.services.database.transaction() as tx:
        pending = await pending_messages(tx, held_tenant_ids=(), most_rows=100, most_bytes=1_000_000)
        await mark_published(tx, ids=[row.id for row in pending])
    shown = await one(api, watcher, number)
    assert shown["events"]["published"] == 1
    assert shown["timeline"][-1]["event"] == "events_sent"
    first = shown["events"]["first_sequence"]
    events = await api.call("GET", f"/v1/events?after={int(first) - 1}&limit=1")
    assert events.json()["events"][0]["operationid"] == str(number)


async def test_of_messages_that_operations_share_each_counts_its_own_events(api, watcher):
    commands = (groups("a"), groups("b", "c"), groups("d"))
    ids = await accept(api.services.database, [Asked(tenant_id=api.tenant.id, command=one) for one in commands])
    await drain(api, api.tenant)

    async def told():
        shown = [(await one(api, watcher, number))["events"] for number in ids]
        return [(of["written"], of["published"], int(of["first_sequence"]), int(of["last_sequence"])) for of in shown]

    assert await told() == [(2, 0, 1, 5), (3, 0, 2, 6), (2, 0, 4, 7)]
    async with api.services.database.transaction() as tx:
        did, ended = await pending_messages(tx, held_tenant_ids=(), most_rows=100, most_bytes=1_000_000)
        await mark_published(tx, ids=[did.id])
    assert [published for _, published, _, _ in await told()] == [1, 2, 1]
    assert "events_sent" not in [moment["event"] for moment in (await one(api, watcher, ids[0]))["timeline"]]
    async with api.services.database.transaction() as tx:
        await mark_published(tx, ids=[ended.id])
    assert [published for _, published, _, _ in await told()] == [2, 3, 2]
    assert (await one(api, watcher, ids[0]))["timeline"][-1]["event"] == "events_sent"
    async with api.services.database.transaction() as tx:
        await remove_old_outbox(tx, keep=timedelta(0), batch=100)
    assert await told() == [(2, 2, 1, 5), (3, 3, 2, 6), (2, 2, 4, 7)]


async def test_the_answer_of_an_operation_is_shown_as_its_caller_got_it(api, watcher):
    sent = await while_applied(api, [api.tenant], api.call("PUT", "/v1/groups/g", {"name": "G"}))
    shown = await one(api, watcher, sent.headers["Seatline-Operation"])
    assert shown["response"] == {"status": 201, "body": sent.json()}
    assert shown["request_id"] == sent.headers["X-Request-Id"]


async def test_a_failure_is_told_in_the_words_of_the_log(api, watcher):
    [number] = await fail(api, api.tenant, RAISES)
    shown = await one(api, watcher, number)
    assert shown["error"]["code"] == "OPERATION_RAISED"
    assert shown["error"]["message"].startswith("ByDesignError at ")
    assert "secret" not in shown["error"]["message"]
    assert [moment["event"] for moment in shown["timeline"]] == ["accepted", "claimed", "failed"]
    assert (shown["response"], shown["fingerprint"] is None) == (None, False)


async def test_who_reads_a_request_is_on_record(api, operator, watcher):
    [number] = await queue(api, api.tenant, "Secret plans")
    assert "Secret plans" not in (await api.call("GET", f"/v1/ops/operations/{number}", headers=watcher)).text
    read = await api.call("GET", f"/v1/ops/operations/{number}/request", headers=watcher)
    assert read.json() == {"request": {"items": [{"key": "g", "name": "Secret plans"}]}}
    audit = await api.call("GET", "/v1/ops/audit?action=operation.request_read", headers=operator)
    [entry] = audit.json()["items"]
    assert (entry["actor"]["name"], entry["tenant"]) == ("wall screen", "acme")
    assert entry["subject"] == f"operations/{number}"
    assert "Secret plans" not in audit.text


async def test_the_request_of_a_batch_shows_its_items_one_by_one(api, watcher):
    made = [AssignmentChange(AssignmentOp.CREATE, "sales", user, "member") for user in ("ada", "bo")]
    asked = Asked(tenant_id=api.tenant.id, command=ChangeAssignments(items=tuple(made)))
    [number] = await accept(api.services.database, [asked])
    read = await api.call("GET", f"/v1/ops/operations/{number}/request", headers=watcher)
    same = {"op": "create", "group": "sales", "role": "member", "source": "MANUAL"}
    assert read.json() == {"request": {"items": [same | {"user": "ada"}, same | {"user": "bo"}]}}


async def test_a_queued_operation_is_taken_back_and_its_caller_is_told_in_their_words(api, operator):
    sent = asyncio.create_task(api.call("PUT", "/v1/groups/g", {"name": "G"}, headers={"Accept-Language": "de"}))
    while not (ids := await ids_found(api, operator, "?status=queued")):
        assert not sent.done()
    cancelled = await taken_back(api, operator, ids[0])
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    moments = [moment["event"] for moment in cancelled.json()["timeline"]]
    assert moments == ["accepted", "cancel_requested", "cancelled"]
    keyed = {**operator, "Idempotency-Key": "k"}
    for headers, status in ((operator, 409), (keyed, 200)):
        again = await api.call("POST", f"/v1/ops/operations/{ids[0]}:cancel", headers=headers)
        assert (again.status_code, "Idempotency-Replayed" in again.headers) == (status, status == 200)
    answer = await asyncio.wait_for(sent, 10)
    assert (answer.status_code, answer.json()["code"]) == (409, "OPERATION_CANCELLED")
    assert "abgebrochen" in answer.json()["detail"]
    assert (await api.call("GET", "/v1/groups/g")).status_code == 404
    mine = (await api.call("GET", f"/v1/operations/{ids[0]}")).json()
    assert (mine["status"], mine["error"]["code"], mine["response"]) == ("cancelled", "OPERATION_CANCELLED", None)
    listed = (await api.call("GET", "/v1/operations?status=cancelled")).json()["items"]
    assert [item["error"]["code"] for item in listed] == ["OPERATION_CANCELLED"]
    [entry] = (await api.call("GET", "/v1/ops/audit?action=operation.cancel", headers=operator)).json()["items"]
    assert (entry["subject"], entry["tenant"]) == (f"operations/{ids[0]}", "acme")


async def test_a_dialect_tells_of_a_cancellation_in_its_own_form(api, operator):
    item = {"group_id": "g", "body": {"role_id": "member", "user_id": "ann"}}
    path = "/api/admin/users/v4/user-groups/assignments/batch"
    sent = asyncio.create_task(api.call("POST", path, {"items": [item]}))
    while not (ids := await ids_found(api, operator, "?status=queued")):
        assert not sent.done()
    assert (await taken_back(api, operator, ids[0])).status_code == 200
    answer = await asyncio.wait_for(sent, 10)
    assert (answer.status_code, answer.json()["code"]) == (409, "OPERATION_CANCELLED")
    assert "message" in answer.json()


async def test_what_is_no_longer_queued_is_not_taken_back(api, operator):
    done = await fail(api, api.tenant, "Good")
    response = await api.call("POST", f"/v1/ops/operations/{done[0]}:cancel", headers=operator)
    assert (response.status_code, response.json()["code"]) == (409, "OPERATION_NOT_QUEUED")
    assert (await api.call("GET", "/v1/ops/audit?action=operation.cancel", headers=operator)).json()["items"] == []


async def test_without_a_worker_the_wish_stands_and_is_fulfilled_before_anything_else(api, operator):
    ids = await queue(api, api.tenant, "One", "Two")
    asked = await api.call(
        "POST", f"/v1/ops/operations/{ids[1]}:cancel", headers={**operator, "Prefer": "respond-async"}
    )
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    await drain(api, api.tenant)
    assert [(await one(api, operator, number))["status"] for number in ids] == ["succeeded", "cancelled"]


async def test_what_does_not_exist_or_cannot_be_asked_is_refused(api, operator):
    nobody = uuids(["01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"])[0]
    for method, path, status, code in (
        ("GET", f"/v1/ops/operations/{nobody}", 404, "OPERATION_DOES_NOT_EXIST"),
        ("GET", "/v1/ops/operations/x", 404, "OPERATION_DOES_NOT_EXIST"),
        ("GET", f"/v1/ops/operations/{nobody}/request", 404, "OPERATION_DOES_NOT_EXIST"),
        ("POST", f"/v1/ops/operations/{nobody}:cancel", 404, "OPERATION_DOES_NOT_EXIST"),
        ("GET", "/v1/ops/operations?tenant=nobody", 404, "TENANT_DOES_NOT_EXIST"),
        ("GET", "/v1/ops/operations?user=ann", 400, "INVALID_PARAMETER"),
        ("GET", "/v1/ops/operations?id=x", 400, "INVALID_PARAMETER"),
        ("GET", "/v1/ops/operations?status=sung", 400, "INVALID_PARAMETER"),
        ("GET", "/v1/ops/operations?limit=0", 400, "INVALID_PARAMETER"),
        ("GET", "/v1/ops/operations?cursor=x", 400, "INVALID_PARAMETER"),
        ("POST", f"/v1/ops/operations/{nobody}:cancel?now=1", 400, "INVALID_PARAMETER"),
    ):
        response = await api.call(method, path, headers=operator)
        assert (response.status_code, response.json()["code"]) == (status, code), path
