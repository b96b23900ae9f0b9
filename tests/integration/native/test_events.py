"""/v1/events over HTTP: pages, and streams that follow, resume and end."""

import asyncio
import json
import os
import signal

import pytest

from api.native import event_stream, stopping
from api.native.following import LogFollower
from domain.events import EventType
from infra.postgres.administration import revoke_token
from tests.support.api import groups, people
from tests.support.directory import add_events
from tests.support.streams import streaming


async def page(api, parameters=""):
    response = await api.call("GET", f"/v1/events{parameters}")
    assert response.status_code == 200, response.text
    return response.json()


def sequences(events):
    return [int(event["sequence"]) for event in events]


@pytest.fixture
def quick_signs_of_life(monkeypatch):
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)


async def test_an_event_is_here_before_its_operation_is_answered(api):
    response = await api.call("PUT", "/v1/groups/g", {"name": "G"})
    found = await page(api)
    assert [event["type"] for event in found["events"]] == [
        "seatline.group.updated.v1",
        "seatline.operation.finished.v1",
    ]
    assert {event["operationid"] for event in found["events"]} == {response.headers["Seatline-Operation"]}
    assert found["next"] == found["events"][-1]["sequence"] == "2".zfill(19)


async def test_pages_join_without_a_gap_and_end_where_they_begin(api):
    await api.arrange(people(*(f"u{n}" for n in range(120))), groups("g"))
    found, after = [], "0"
    while events := (answer := await page(api, f"?after={after}&limit=50"))["events"]:
        found += events
        after = answer["next"]
    assert sequences(found) == list(range(1, 124))
    assert (await page(api, f"?after={after.lstrip('0')}"))["next"] == after
    assert sequences((await page(api, "?after=0000000000000000120&limit=2"))["events"]) == [121, 122]
    assert sequences((await page(api))["events"]) == list(range(1, 101))


async def test_some_types_are_asked_for_by_either_name(api):
    await api.arrange(people("u1"), groups("g"))
    for types in (
        "group.updated",
        "seatline.group.updated.v1",
        "user.deleted,group.updated",
        "group.updated&types=user.deleted",
    ):
        found = await page(api, f"?types={types}")
        assert [event["type"] for event in found["events"]] == ["seatline.group.updated.v1"]
        assert int(found["next"]) == 4


async def test_a_page_equals_the_messages_to_the_byte(api, sql):
    bodies = await add_events(sql, api.tenant.id, "acme", (EventType.USER_UPDATED, 3), (EventType.GROUP_UPDATED, 2))
    response = await api.call("GET", "/v1/events")
    events = b",".join(body[1:-1].replace(b",\n", b",") for body in bodies)
    assert response.content == b'{"events":[' + events + b'],"next":"0000000000000000005"}'


async def test_what_retention_removed_is_gone_and_says_where_the_log_begins(api, sql):
    await add_events(sql, api.tenant.id, "acme", (EventType.USER_UPDATED, 150))
    await sql.execute("DELETE FROM outbox WHERE first_sequence = 1")
    for headers in ({}, {"Accept": "text/event-stream"}):
        response = await api.call("GET", "/v1/events?after=99", headers=headers)
        assert (response.status_code, response.json()["code"]) == (410, "EVENTS_EXPIRED")
        assert response.json()["earliest"] == "101".zfill(19)
    assert sequences((await page(api, "?after=100"))["events"])[0] == 101
    assert sequences((await page(api))["events"])[0] == 101


NONSENSE = (
    "after=-1", "after=x", "after=", "after=1.5", "after=9223372036854775808", f"after={'0' * 20}", "after=²",
    "types=nothing", "types=", "types=operation.started", "limit=0", "limit=1001", "limit=ten", "after=1&after=2",
)  # fmt: skip


async def test_a_parameter_that_says_nothing_is_refused(api):
    for parameters in NONSENSE:
        response = await api.call("GET", f"/v1/events?{parameters}")
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMETER"), parameters
        assert response.json()["errors"][0]["field"] == parameters.partition("=")[0]


async def test_a_stream_shows_what_was_and_then_what_comes(api):
    await api.arrange(groups("a"))
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events?after=1", headers) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert "content-length" not in stream.headers
        first = await stream.event()
        assert (first["id"], first["event"]) == ("2".zfill(19), "seatline.operation.finished.v1")
        await api.arrange(groups("b"), groups("c"))
        later = [await stream.event() for _ in range(4)]
    assert [int(event["id"]) for event in later] == [3, 4, 5, 6]
    assert [json.loads(event["data"]) for event in (first, *later)] == (await page(api, "?after=1"))["events"]


async def test_a_stream_resumes_after_the_last_event_of_the_client(api):
    await api.arrange(groups("a"), groups("b"))
    headers = {**api.headers, "Accept": "text/html, text/event-stream;q=0.9", "Last-Event-ID": "3".zfill(19)}
    async with streaming(api.app, "/v1/events?after=1&types=operation.finished", headers) as stream:
        assert int((await stream.event())["id"]) == 4
    headers["Last-Event-ID"] = "not one"
    async with streaming(api.app, "/v1/events", headers) as refused:
        assert refused.status == 400


async def test_a_long_log_is_streamed_by_pages_in_order(api, sql):
    await add_events(sql, api.tenant.id, "acme", (EventType.USER_UPDATED, 250), (EventType.GROUP_UPDATED, 5))
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events?limit=40", headers) as stream:
        assert [int((await stream.event())["id"]) for _ in range(255)] == list(range(1, 256))


async def test_a_quiet_stream_gives_signs_of_life_and_moves_on_past_other_types(api, quick_signs_of_life):
    await api.arrange(groups("a"))
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events?types=user.updated", headers) as stream:
        while (block := await stream.block()) != {"": "keep-alive", "id": "2".zfill(19)}:
            assert "data" not in block


async def test_a_client_that_leaves_ends_its_stream(api):
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events", headers) as stream:
        await stream.block()
    # Leaving the block waits for the application to be done with the request.
    assert not api.app.state.log_follower._streams


async def test_a_revoked_token_ends_its_stream(api, quick_signs_of_life):
    headers = {**await api.token("operations:read"), "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events", headers) as stream:
        await stream.block()
        services = api.services
        caller = await services.authenticator.authenticate(headers["Authorization"], "127.0.0.1")
        await revoke_token(services.database, caller.token_id)
        await stream.end()


async def test_streams_end_when_the_process_is_told_to(api):
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events", headers) as stream:
        await stream.block()
        api.app.state.log_follower.stop()
        await stream.end()


async def test_a_stream_ends_at_a_gap_and_the_next_call_says_so(api, sql):
    await add_events(sql, api.tenant.id, "acme", (EventType.USER_UPDATED, 300))
    await sql.execute("DELETE FROM outbox WHERE first_sequence = 101")
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with streaming(api.app, "/v1/events?limit=1000", headers) as stream:
        assert [int((await stream.event())["id"]) for _ in range(100)] == list(range(1, 101))
        await stream.end()
    assert (await api.call("GET", "/v1/events?after=100")).status_code == 410


async def test_many_streams_share_one_poll(api, monkeypatch):
    asked = []
    real = LogFollower._keep_looking

    async def counted(self):
        asked.append(self)
        await real(self)

    monkeypatch.setattr(LogFollower, "_keep_looking", counted)
    headers = {**api.headers, "Accept": "text/event-stream"}
    async with (
        streaming(api.app, "/v1/events", headers) as one,
        streaming(api.app, "/v1/events", headers) as two,
    ):
        await api.arrange(groups("a"))
        assert [int((await stream.event())["id"]) for stream in (one, two)] == [1, 1]
    assert len(asked) == 1


async def test_a_signal_reaches_the_streams_and_the_server_both():
    heard, told = [], asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        server = signal.getsignal(signal.SIGTERM)
        with stopping.on_stop_signal(told.set):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(told.wait(), 10)
        assert heard == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is server
    finally:
        signal.signal(signal.SIGTERM, before)
