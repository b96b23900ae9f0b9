"""The overview, its history and its stream, and the workers: what operators see at a glance."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.app import ACCEPTANCE_CONNECTIONS
from api.native.ops import live, room_schemas
from infra.measures.instruments import MILLISECONDS
from infra.postgres.administration import revoke_token
from infra.postgres.workers import Doing, register_worker, see_worker
from tests.support.api import groups, serving, without_worker
from tests.support.streams import streaming
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import found

OVERVIEW = "/v1/ops/overview"


async def overview(api, headers):
    response = await api.call("GET", OVERVIEW, headers=headers)
    assert response.status_code == 200, response.text
    room_schemas.Overview.model_validate(response.json(), strict=True)
    return response.json()


async def test_an_installation_that_does_nothing_says_so(api, watcher):
    # The worker registers a moment after it has started.
    shown = await found(lambda: with_workers(api, watcher))
    assert shown["queue"] == {
        "depth": 0, "depth_is_capped": False, "oldest_age_seconds": None, "oldest": None, "running": 0,
    }  # fmt: skip
    assert shown["rates"] == {"accepted": 0, "applied": 0, "events": 0}
    assert shown["apply_ms"] == {"p50": None, "p95": None, "p99": None}
    assert (shown["dead_letters"], shown["waiting_seats"], shown["outbox"]["pending"]) == (0, 0, 0)
    assert (shown["workers"], shown["broker"]) == ({"alive": 1}, {"state": "none", "queue_depth": None})
    assert shown["database"]["state"] == "up"
    assert shown["database"]["connections"]["max"] == 8 + ACCEPTANCE_CONNECTIONS


async def with_workers(api, headers):
    shown = await overview(api, headers)
    return shown if shown["workers"]["alive"] else None


async def test_what_is_applied_shows_as_rates_and_times_within_moments(api, watcher):
    await api.arrange(groups("a"), groups("b"))

    async def applied():
        shown = await overview(api, watcher)
        return shown if shown["rates"]["applied"] and shown["rates"]["accepted"] else None

    shown = await found(applied)
    assert shown["rates"]["events"] > 0
    assert 0 < shown["accept_ms"]["p50"] <= shown["accept_ms"]["p99"]
    assert 0 < shown["apply_ms"]["p50"] <= shown["apply_ms"]["p99"]
    history = (await api.call("GET", f"{OVERVIEW}/history?minutes=5", headers=watcher)).json()
    room_schemas.History.model_validate(history, strict=True)
    assert (history["step_seconds"], len(history["points"])) == (5, 60)
    assert sum(point["applied"] or 0 for point in history["points"]) > 0
    assert any(point["apply_p95_ms"] for point in history["points"])


async def test_a_queue_without_a_worker_shows_its_depth_and_its_oldest(database_url):
    async with without_worker(database_url) as api:
        watcher = await api.operator_token("ops:read")
        accepted = [await api.call("PUT", f"/v1/groups/{key}", {"name": "G"}) for key in "ab"]
        shown = await overview(api, watcher)
        assert (shown["queue"]["depth"], shown["workers"]["alive"]) == (2, 0)
        assert shown["queue"]["oldest"] == {"tenant": "acme", "id": accepted[0].headers["Seatline-Operation"]}
        assert shown["queue"]["oldest_age_seconds"] > 0


async def test_the_history_survives_whatever_is_restarted(api, watcher, sql):
    long_ago = datetime.now(UTC) - timedelta(minutes=40)
    counts = [0] * (len(MILLISECONDS) + 1)
    counts[MILLISECONDS.index(20)] = 600
    await sql.execute(
        "INSERT INTO process_measure (at, process_id, accepted, applied, events, accept_counts, apply_counts) "
        "VALUES (date_bin('5 s', $1, 'epoch'), $2, 600, 600, 1200, $3, $3)",
        long_ago, uuid4(), counts,
    )  # fmt: skip
    await sql.execute(
        "INSERT INTO overview_sample (at, depth, depth_is_capped, dead_letters, dead_letters_by_code, workers_alive) "
        "VALUES (date_bin('5 s', $1, 'epoch'), 70, false, 3, '{}', 2)",
        long_ago,
    )
    history = (await api.call("GET", f"{OVERVIEW}/history", headers=watcher)).json()
    assert (history["step_seconds"], len(history["points"])) == (10, 360)
    [busy] = [point for point in history["points"] if point["depth"] == 70]
    assert (busy["accepted"], busy["events"], busy["dead_letters"]) == (60, 120, 3)
    assert 15 < busy["apply_p95_ms"] <= 20
    quiet = history["points"][0]
    assert (quiet["accepted"], quiet["depth"]) == (None, None)
    day = (await api.call("GET", f"{OVERVIEW}/history?minutes=1440", headers=watcher)).json()
    assert (day["step_seconds"], len(day["points"])) == (240, 360)
    for minutes in ("0", "1441", "x", "-1"):
        response = await api.call("GET", f"{OVERVIEW}/history?minutes={minutes}", headers=watcher)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMETER")


async def test_many_who_watch_share_one_reader(api, watcher, monkeypatch):
    monkeypatch.setattr(api.app.state.overview_feed, "_every", 0.02)
    async with (
        streaming(api.app, f"{OVERVIEW}/stream", watcher) as one,
        streaming(api.app, f"{OVERVIEW}/stream", watcher) as two,
    ):
        assert (one.status, one.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        seen = [[json.loads((await stream.event())["data"]) for _ in range(3)] for stream in (one, two)]
    assert {document["at"] for document in seen[0]} & {document["at"] for document in seen[1]}
    for document in seen[0]:
        room_schemas.Overview.model_validate(document, strict=True)
    feed = api.app.state.overview_feed
    await found(lambda: ended(feed))


async def ended(feed):
    return feed._task.done()


async def test_a_stream_of_the_overview_ends_with_its_token_and_with_the_process(api, monkeypatch):
    monkeypatch.setattr(live, "ALLOWED_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(api.app.state.overview_feed, "_every", 0.02)
    headers = await api.operator_token("ops:read")
    async with streaming(api.app, f"{OVERVIEW}/stream", headers) as stream:
        await stream.event()
        caller = await api.services.authenticator.authenticate(headers["Authorization"], "127.0.0.1")
        await revoke_token(api.services.database, caller.token_id)
        await stream.end()
    headers = await api.operator_token("ops:read")
    async with streaming(api.app, f"{OVERVIEW}/stream", headers) as stream:
        await stream.event()
        api.app.state.overview_feed.stop()
        await stream.end()


async def test_a_database_that_is_gone_is_what_the_stream_tells(database_url, monkeypatch):
    async with TcpProxy(database_url) as proxy, serving(proxy.url, with_worker=False) as api:
        headers = await api.operator_token("ops:read")
        monkeypatch.setattr(api.app.state.overview_feed, "_every", 0.02)
        async with streaming(api.app, f"{OVERVIEW}/stream", headers) as stream:
            assert json.loads((await stream.event())["data"])["database"]["state"] == "up"
            proxy.cut(refuse=True)
            shown = await asyncio.wait_for(until_down(stream), 20)
        proxy.heal()
    assert (shown["queue"]["depth"], shown["dead_letters"], shown["rates"]["accepted"]) == (None, None, None)
    room_schemas.Overview.model_validate(shown, strict=True)


async def until_down(stream):
    while (shown := json.loads((await stream.event())["data"]))["database"]["state"] == "up":
        pass
    return shown


@pytest.fixture
async def session(database):
    session = await database.session()
    yield session
    session.terminate()


async def test_workers_are_told_by_their_locks_with_what_they_do(database_url, database, session, sql):
    async with without_worker(database_url) as api:
        watcher = await api.operator_token("ops:read")
        accepted = await api.call("PUT", "/v1/groups/a", {"name": "G"})
        operation = accepted.headers["Seatline-Operation"]
        api.is_filled_by_hand = True
        worker_id = (await register_worker(session, name="living", version="7", process=uuid4())).worker_id
        chunk = {
            "tenant_id": api.tenant.id,
            "operation_id": operation,
            "kind": "give",
            "rows": 3,
            "done": 5,
            "total": 9,
        }
        await see_worker(session, worker_id, Doing(leads_relay=True, chunk=chunk))
        await sql.execute("UPDATE worker SET tenant_ids = $1, operation_ids = $2", [api.tenant.id], [operation])
        await sql.execute("INSERT INTO worker (name, version, leads_relay) VALUES ('dead', '6', true)")
        response = await api.call("GET", "/v1/ops/workers", headers=watcher)
        shown = await overview(api, watcher)
    room_schemas.WorkerList.model_validate(response.json(), strict=True)
    living, dead = response.json()["items"]
    assert (living["name"], living["version"], living["alive"], living["is_relay_leader"]) == (
        "living",
        "7",
        True,
        True,
    )
    assert living["doing"] == {
        "operations": [{"tenant": "acme", "id": operation, "kind": "groups.put"}],
        "operation_count": 1,
        "chunk": {"tenant": "acme", "id": operation, "kind": "give", "rows": 3, "done": 5, "total": 9},
    }
    assert (dead["alive"], dead["is_relay_leader"], dead["doing"]["chunk"]) == (False, False, None)
    assert shown["workers"]["alive"] == 1
