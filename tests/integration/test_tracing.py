"""One request's trace, from the HTTP call over the broker and the pass to the published event; and what many share."""

import json
import re

import pytest

from infra.settings import Settings
from tests.support.api import bundles, groups, people, roles, serving
from tests.support.bad_handlers import BAD_HANDLERS, RAISES
from tests.support.brokers import outside_channel
from tests.support.outbox import subscribed
from tests.support.traces import Traces, linked, service_of, span_of, trace_of
from tests.support.waiting import eventually
from workers.chunk_sizes import ChunkSizes
from workers.main import Worker

CALLER = "00f067aa0ba902b7"
TRACE, OTHER, UNWANTED = "4bf92f3577b34da6a3ce929d0e0e4736", "5" * 32, "6" * 32
KEY = "ann.lee@example.org"
OF_THE_PASS = ("apply users.put", "lock_tenants", "read_open", "write_users", "finish_operations", "append_outbox")
OF_THE_RELAY = ("pending_messages", "mark_published", "COMMIT")
PERSON = {
    "username": KEY,
    "email": KEY,
    "first_name": "Annabel",
    "last_name": "Leeward",
    "primary_group": "sales",
}


@pytest.fixture
def traces():
    return Traces()


@pytest.fixture
async def outside(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def api(database_url, amqp_url, broker_prefix, outside, traces):
    """API and worker on a broker; the worker is woken by claims alone, since it polls once a minute."""
    settings = {"amqp_url": amqp_url, "name_prefix": broker_prefix, "poll_seconds": 60}
    async with serving(database_url, traces=traces, **settings) as api:
        await eventually(lambda: api.services.broker.reachable)
        await api.arrange(groups("sales"), roles("trainer"))
        while not traces.named(f"process {broker_prefix}.commands"):
            await api.call("PUT", "/v1/groups/warm", {"name": "Warm"})
        yield api


def traceparent(trace_id=TRACE, *, flags="01"):
    return f"00-{trace_id}-{CALLER}-{flags}"


async def test_a_request_is_one_trace_from_the_call_to_the_published_events(api, traces, broker_prefix, outside):
    arrived = await subscribed(outside, broker_prefix, "*.user.updated")
    answer = await api.call("PUT", f"/v1/users/{KEY}", PERSON, headers={"traceparent": traceparent()})
    assert answer.status_code == 201
    claims, events = f"{broker_prefix}.commands", f"{broker_prefix}.events"
    await eventually(lambda: {"relay", "pass"} <= {span.name for span in traces.of(TRACE)})

    tree = traces.tree(TRACE, CALLER)
    below = tree["PUT /v1/users/{key}"][f"publish {claims}"][f"process {claims}"]["pass"]
    assert set(OF_THE_PASS) <= below.keys()
    assert tree == {
        "PUT /v1/users/{key}": {
            "look up": {"authenticate": {}, "find_tokens": {}},
            "flush": {"accept": {}, **statements("accept_operations")},
            f"publish {claims}": {f"process {claims}": {"pass": statements(*below)}},
            "read answers": {"read answer": {}, "read_finished": {}},
            "relay": {f"publish {events}": {}, **statements("pending_messages", "mark_published")},
        }
    }
    [server] = [span for span in traces.of(TRACE) if span.name.startswith("PUT")]
    [event] = json.loads((await arrived.get()).body)
    assert event["traceparent"] == f"00-{TRACE}-{span_of(server)}-01"
    of_the_worker = {span.name for span in traces.of(TRACE) if service_of(span) == "seatline-worker"}
    assert of_the_worker == {f"process {claims}", "pass", *below, "relay", f"publish {events}", *OF_THE_RELAY}


async def test_no_span_names_anybody(api, traces, broker_prefix):
    await api.call("PUT", f"/v1/users/{KEY}", PERSON, headers={"traceparent": traceparent()})
    await api.call("GET", f"/v1/users/{KEY}?nothing=such", headers={"traceparent": traceparent()})
    await api.call("GET", "/v1/users?q=Leeward", headers={"traceparent": traceparent()})
    await eventually(lambda: any(span.name == "relay" for span in traces.of(TRACE)))
    said = " ".join(
        f"{span.name} {dict(span.attributes)} {dict(span.resource.attributes)} {span.status.description} {span.events}"
        for span in traces.spans
    )
    assert not re.search(r"ann|lee|example\.org|a-password|bearer", said, flags=re.IGNORECASE), said


async def test_what_is_read_stands_below_its_request(api, traces):
    await api.call("GET", f"/v1/users/{KEY}", headers={"traceparent": traceparent()})
    [server] = [span for span in traces.of(TRACE) if span.name == "GET /v1/users/{key}"]
    below = traces.tree(TRACE, CALLER)["GET /v1/users/{key}"]
    assert "look up" in below
    assert below.keys() - {"look up", "COMMIT"}
    assert server.attributes["http.response.status_code"] == 404
    assert server.status.is_ok or server.status.status_code.name == "UNSET"


async def test_a_pass_over_many_operations_is_linked_to_the_trace_of_each(database_url, traces):
    async with serving(database_url, with_worker=False, traces=traces) as api:
        for trace_id, flags in ((TRACE, "01"), (OTHER, "01"), (UNWANTED, "00")):
            headers = {"traceparent": traceparent(trace_id, flags=flags), "Prefer": "respond-async"}
            await api.call("PUT", f"/v1/groups/g{trace_id[:4]}", {"name": "A group"}, headers=headers)
        worker = Worker(Settings(database_url=database_url), tracer=traces.tracer("seatline-worker"))
        await worker.start()
        await eventually(lambda: bool(traces.named("pass")))
        await worker.stop()

    [shared] = traces.named("pass")
    applied = traces.named("apply groups.put")
    assert [trace_of(span) for span in applied] == [TRACE, OTHER]
    assert linked(shared) == {(trace_of(span), span_of(span)) for span in applied}
    assert all(linked(span) == {(trace_of(shared), span_of(shared))} for span in applied)
    assert shared.parent is None
    assert trace_of(shared) not in {TRACE, OTHER, UNWANTED}
    assert shared.attributes["seatline.operations"] == 3
    assert "lock_tenants" in traces.tree(trace_of(shared), span_of(shared))
    assert traces.of(UNWANTED) == []


async def test_a_message_that_tells_the_ends_of_many_stands_in_the_trace_of_each(
    database_url, amqp_url, broker_prefix, outside, traces
):
    arrived = await subscribed(outside, broker_prefix, "*.operation.finished")
    settings = {"amqp_url": amqp_url, "name_prefix": broker_prefix}
    async with serving(database_url, with_worker=False, traces=traces, **settings) as api:
        for trace_id in (TRACE, OTHER):
            headers = {"traceparent": traceparent(trace_id), "Prefer": "respond-async"}
            await api.call("PUT", f"/v1/groups/g{trace_id[:4]}", {"name": "A group"}, headers=headers)
        worker = Worker(Settings(database_url=database_url, **settings), tracer=traces.tracer("seatline-worker"))
        await worker.start()
        ends = json.loads((await arrived.get()).body)
        await eventually(lambda: len(traces.named(f"publish {broker_prefix}.events")) == 4)
        await worker.stop()

    assert [event["traceparent"].split("-")[1] for event in ends] == [TRACE, OTHER]
    published = [
        (trace_of(span), span.attributes["seatline.event_type"])
        for span in traces.named(f"publish {broker_prefix}.events")
    ]
    types = ("group.updated", "operation.finished")
    assert sorted(published) == sorted((trace_id, what) for trace_id in (TRACE, OTHER) for what in types)


async def test_a_caller_who_does_not_want_a_trace_is_heard_down_to_the_event(database_url, traces):
    async with serving(database_url, traces=traces) as api:
        await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers={"traceparent": traceparent(flags="00")})
        [*_, event] = (await api.call("GET", "/v1/events")).json()["events"]
    version, trace_id, _, flags = event["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "00")
    assert traces.of(TRACE) == []


async def test_the_chunks_of_a_large_grant_stand_below_the_call_that_asked(database_url, traces):
    async with serving(database_url, with_worker=False, traces=traces) as api:
        settings = Settings(database_url=database_url)
        worker = Worker(settings, sizes=ChunkSizes(rows=2), tracer=traces.tracer("seatline-worker"))
        await worker.start()
        await api.arrange(groups("sales"), people(*"abcde", primary_group="sales"), bundles(IDU=10))
        address = "/acme-org/lease_/api/account/acme/user-license/group/sales"
        answer = await api.call("PUT", address, {"userBundleCodes": ["IDU"]}, headers={"traceparent": traceparent()})
        assert answer.status_code == 200
        await eventually(lambda: len([span for span in traces.of(TRACE) if span.name == "chunk"]) >= 2)
        await worker.stop()
    below = traces.tree(TRACE, CALLER)
    [server] = below
    assert "continue give" in below[server]["chunk"]
    assert "COMMIT" in below[server]["chunk"]


async def test_a_pass_that_fails_says_the_kind_of_error_and_nothing_of_its_text(database_url, traces):
    async with serving(database_url, with_worker=False, traces=traces) as api:
        settings = Settings(database_url=database_url)
        worker = Worker(settings, handlers=BAD_HANDLERS, tracer=traces.tracer("seatline-worker"))
        await worker.start()
        answer = await api.call("PUT", "/v1/groups/g", {"name": RAISES}, headers={"traceparent": traceparent()})
        assert answer.status_code == 500
        await worker.stop()
    failed = traces.named("pass")[0]
    assert (failed.attributes["error.type"], failed.status.status_code.name) == ("ByDesignError", "ERROR")
    assert failed.status.description is None
    assert not failed.events
    [server] = [span for span in traces.of(TRACE) if span.name == "PUT /v1/groups/{key}"]
    assert (server.attributes["error.type"], server.status.status_code.name) == ("500", "ERROR")


def statements(*names):
    return {name: {} for name in (*names, "COMMIT")}
