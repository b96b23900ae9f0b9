"""Events for operators: the newest of all tenants, a tenant's from a place on, and live, in order and resumable."""

import json
from contextlib import asynccontextmanager

import pytest

from api.native.ops import event_tail, live
from domain.events import EventType
from infra.postgres.administration import revoke_token
from infra.postgres.reads import event_tail as reads
from infra.postgres.reads.event_tail import LoggedMessage, settled_id
from tests.support.api import groups
from tests.support.directory import add_events
from tests.support.streams import streaming

PATH = "/v1/ops/events"


@pytest.fixture
def stream_headers(watcher):
    return {**watcher, "Accept": "text/event-stream"}


def places(page):
    return [(event["tenantid"], int(event["sequence"])) for event in page.json()["events"]]


async def test_the_newest_of_all_tenants_and_of_one_are_told_in_order(api, watcher, sql):
    await api.other_tenant("stranger")
    await api.arrange(groups("a"))
    stranger = await sql.fetchval("SELECT id FROM tenant WHERE key = 'stranger'")
    await add_events(sql, stranger, "stranger", (EventType.USER_UPDATED, 3), (EventType.GROUP_UPDATED, 1))
    everybody = await api.call("GET", PATH, headers=watcher)
    assert places(everybody) == [("acme", 1), ("acme", 2), *(("stranger", n) for n in range(1, 5))]
    assert everybody.json()["next"] is None
    assert int(everybody.json()["last_event_id"]) == await sql.fetchval("SELECT max(id) FROM outbox")
    assert places(await api.call("GET", f"{PATH}?limit=2", headers=watcher)) == [("stranger", 3), ("stranger", 4)]
    assert places(await api.call("GET", f"{PATH}?tenant=acme", headers=watcher)) == [("acme", 1), ("acme", 2)]
    typed = await api.call("GET", f"{PATH}?types=group.updated", headers=watcher)
    assert places(typed) == [("acme", 1), ("stranger", 4)]
    after = await api.call("GET", f"{PATH}?tenant=stranger&after=2&limit=1", headers=watcher)
    assert (places(after), int(after.json()["next"])) == ([("stranger", 3)], 3)
    assert after.json()["last_event_id"] is None
    api.is_filled_by_hand = True


async def test_what_it_does_not_know_is_refused(api, watcher, stream_headers):
    for path, status in ((f"{PATH}?tenant=nobody", 404), (f"{PATH}?after=1", 400), (f"{PATH}?types=odd", 400)):
        assert (await api.call("GET", path, headers=watcher)).status_code == status, path
    async with streaming(api.app, PATH, {**stream_headers, "Last-Event-ID": "x"}) as refused:
        assert refused.status == 400


async def test_events_of_all_tenants_come_live_and_of_some_only_where_asked(api, stream_headers):
    other = await api.other_tenant("stranger")
    async with (
        streaming(api.app, PATH, stream_headers) as everything,
        streaming(api.app, f"{PATH}?tenant=stranger&types=group.updated", stream_headers) as some,
    ):
        await everything.block()
        await some.block()
        await api.arrange(groups("a"))
        await other.arrange(groups("b"))
        seen = [json.loads((await everything.event())["data"]) for _ in range(4)]
        only = await some.event()
    assert [(event["tenantid"], event["type"].split(".")[1]) for event in seen] == [
        ("acme", "group"), ("acme", "operation"), ("stranger", "group"), ("stranger", "operation"),
    ]  # fmt: skip
    assert only["event"] == "seatline.group.updated.v1"
    assert json.loads(only["data"]) == seen[2]


async def test_a_stream_resumes_where_it_was_without_a_gap(api, stream_headers, sql):
    await add_events(sql, api.tenant.id, "acme", (EventType.USER_UPDATED, 150), (EventType.GROUP_UPDATED, 2))
    api.is_filled_by_hand = True
    first = await sql.fetchval("SELECT min(id) FROM outbox")
    async with streaming(api.app, PATH, {**stream_headers, "Last-Event-ID": str(first - 1)}) as stream:
        seen = [await stream.event() for _ in range(152)]
    assert [int(json.loads(event["data"])["sequence"]) for event in seen] == list(range(1, 153))
    # Cut off within the second message, the client has the id of the first: it gets the whole of the second again.
    assert {event["id"] for event in seen[:99]} == {str(first - 1)}
    assert seen[99]["id"] == seen[120]["id"] == str(first)
    async with streaming(api.app, PATH, {**stream_headers, "Last-Event-ID": seen[120]["id"]}) as again:
        assert int(json.loads((await again.event())["data"])["sequence"]) == 101


@asynccontextmanager
async def being_written(sql):
    """A message that has its id and is committed at the block's end."""
    async with sql.transaction():
        held = await sql.fetchval("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))")
        yield held
        await sql.execute(
            "INSERT INTO outbox (tenant_id, id, type, first_sequence, last_sequence, operation_id, routing_key, body) "
            "OVERRIDING SYSTEM VALUE VALUES (0, $1, 'user.updated', 1, 1, gen_random_uuid(), 'x.y', '[{\"late\":1}]')",
            held,
        )


async def test_a_message_that_is_still_being_written_is_waited_for(api, stream_headers, sql):
    async with streaming(api.app, PATH, stream_headers) as stream:
        await stream.block()
        async with being_written(sql) as held:
            await api.arrange(groups("a"))
        assert json.loads((await stream.event())["data"]) == {"late": 1}
        assert int((await stream.event())["id"]) > held


async def test_a_stream_from_a_page_on_misses_nothing_that_was_still_being_written(api, watcher, stream_headers, sql):
    await api.arrange(groups("a"))
    async with being_written(sql) as held:
        await api.arrange(groups("b"))
        page = await api.call("GET", PATH, headers=watcher)
    assert int(page.json()["last_event_id"]) < held
    assert [event["subject"] for event in page.json()["events"]][-2] == "groups/b"
    headers = {**stream_headers, "Last-Event-ID": page.json()["last_event_id"]}
    async with streaming(api.app, PATH, headers) as stream:
        seen = [json.loads((await stream.event())["data"]) for _ in range(3)]
    assert seen[0] == {"late": 1}
    assert seen[1:] == page.json()["events"][-2:]


async def test_a_message_that_will_never_be_written_does_not_hold_a_page_back(database, sql, monkeypatch):
    await add_events(sql, 1, "acme", (EventType.USER_UPDATED, 1))
    await sql.fetchval("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))")
    await add_events(sql, 1, "acme", (EventType.USER_UPDATED, 1), first=2)
    first, last = await sql.fetchrow("SELECT min(id), max(id) FROM outbox")
    assert await settled_id(database) == first
    monkeypatch.setattr(reads, "HOLE_SECONDS", 0.0)
    assert await settled_id(database) == last


async def test_a_message_that_was_rolled_back_is_not_waited_for_for_long(api, stream_headers, sql, monkeypatch):
    monkeypatch.setattr(event_tail, "HOLE_SECONDS", 0.05)
    async with streaming(api.app, PATH, stream_headers) as stream:
        await stream.block()
        await sql.fetchval("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))")
        await api.arrange(groups("a"))
        assert json.loads((await stream.event())["data"])["tenantid"] == "acme"


async def test_a_stream_ends_with_its_token_and_with_the_process(api, monkeypatch):
    monkeypatch.setattr(live, "ALLOWED_EVERY_SECONDS", 0.0)
    headers = {**await api.operator_token("ops:read"), "Accept": "text/event-stream"}
    async with streaming(api.app, PATH, headers) as stream:
        await stream.block()
        caller = await api.services.authenticator.authenticate(headers["Authorization"], "127.0.0.1")
        await revoke_token(api.services.database, caller.token_id)
        await api.arrange(groups("a"))
        await stream.end()
    headers = {**await api.operator_token("ops:read"), "Accept": "text/event-stream"}
    async with streaming(api.app, PATH, headers) as stream:
        await stream.block()
        api.app.state.event_tail.stop()
        await stream.end()


async def test_who_is_too_far_behind_is_let_go(database, monkeypatch):
    monkeypatch.setattr(event_tail, "MOST_WAITING", 2)
    tail = event_tail.EventTail(database)
    with tail._following() as waiting:
        for number in range(4):
            event_tail._hand(waiting, LoggedMessage(id=number, tenant_id=1, type="x", events=[b"{}"]))
        taken = [waiting.get_nowait() for _ in range(waiting.qsize())]
    assert taken[0] is None
    await tail.close()
