import gzip
import importlib.util
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.settings import Settings, SettingsError
from infra.tracing.resource import resource
from infra.tracing.setup import check_packages, close_tracer, receiver, tracer_of
from infra.tracing.work import Span, Work, current_parent, good_traceparent, is_sampled, timed, told
from tests.support.traces import Traces, linked, span_of, trace_of

DATABASE = "postgresql://seatline:hunter2@db:5432/seatline"
TRACE = "a" * 32
PARENT = f"00-{TRACE}-{'b' * 16}-01"
UNSAMPLED = f"00-{TRACE}-{'b' * 16}-00"


@pytest.fixture
def traces():
    return Traces()


def a_span(recording, parent=PARENT, name="apply"):
    return Span(name=name, parent=parent, began=recording.began, ended=recording.ended)


def test_nothing_of_opentelemetry_is_imported_while_no_receiver_is_set():
    program = """
import sys
from api.app import create_app
from infra.settings import Settings
from workers.main import Worker
settings = Settings(database_url="postgresql://u:p@127.0.0.1:1/d", amqp_url="amqp://127.0.0.1:1/")
create_app(settings), Worker(settings)
extra = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.semconv", "google.protobuf", "requests")
print([name for name in sys.modules if name.startswith(extra)])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_receiver_without_the_packages_is_refused_at_the_start(monkeypatch):
    settings = Settings(database_url=DATABASE, traces_endpoint="http://127.0.0.1:4318")
    check_packages(settings)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "infra.tracing.setup.find_spec", lambda name: None if name == "opentelemetry.sdk" else found(name)
    )
    with pytest.raises(SettingsError, match=r"SEATLINE_TRACES_ENDPOINT: needs .*requirements/traces.txt"):
        tracer_of(settings, service="seatline-api")
    assert tracer_of(Settings(database_url=DATABASE), service="seatline-api") is None


@pytest.mark.parametrize(
    ("given", "sent_to"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("https://collector/otlp/", "https://collector/otlp/v1/traces"),
        ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
    ],
)
def test_the_receiver_is_named_with_or_without_its_path(given, sent_to):
    assert receiver(given) == sent_to


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        (PARENT, True),
        (f" {UNSAMPLED} ", True),
        (None, False),
        ("", False),
        (f"01-{TRACE}-{'b' * 16}-01", False),
        (f"00-{'0' * 32}-{'b' * 16}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (PARENT.upper(), False),
        (PARENT + "-more", False),
    ],
)
def test_a_traceparent_is_taken_only_where_it_can_be_built_upon(text, is_good):
    assert good_traceparent(text) == (text.strip() if is_good else None)


def test_the_flag_is_the_lowest_bit():
    assert [is_sampled(PARENT[:-2] + flags) for flags in ("00", "01", "02", "03", "fe", "ff")] == [
        False, True, False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(("ratio", "sent", "is_recorded"), [
    (0.0, None, False), (1.0, None, True), (0.0, PARENT, True), (1.0, UNSAMPLED, False),
])  # fmt: skip
def test_the_callers_flag_decides_before_the_ratio(ratio, sent, is_recorded):
    traces = Traces(ratio=ratio)
    request = traces.tracer("s").request(sent, method="GET")
    request.end(Work(), name="GET /", attributes={}, failed=False)
    assert is_sampled(request.traceparent) is is_recorded
    assert len(traces.spans) == is_recorded
    assert sent is None or request.traceparent.split("-")[1] == TRACE


def test_what_serves_sampled_requests_is_recorded_whatever_the_ratio():
    traces = Traces(ratio=0.0)
    recording = Work()
    other = PARENT.replace("a", "c")
    with recording, timed("lock_tenants"):
        pass
    traces.tracer("s").work("pass", recording, [a_span(recording), a_span(recording, other)], {})
    assert sorted(span.name for span in traces.spans) == ["apply", "apply", "lock_tenants", "pass"]


def test_what_serves_nobody_who_wants_it_is_not_recorded(traces):
    recording = Work()
    traces.tracer("s").work("pass", recording, [a_span(recording, UNSAMPLED)], {})
    traces.tracer("s").work("pass", recording, [], {})
    assert traces.spans == ()
    assert traces.tracer("s").add(a_span(recording, UNSAMPLED)) == UNSAMPLED


def test_two_pieces_for_one_parent_are_no_shared_work(traces):
    recording = Work()
    traces.tracer("s").work("relay", recording, [a_span(recording), a_span(recording)], {})
    assert traces.tree(TRACE, "b" * 16) == {"relay": {"apply": {}}}
    assert len(traces.named("apply")) == 2
    assert not any(linked(span) for span in traces.spans)


def test_a_statement_says_its_name_its_server_and_how_it_failed(traces):
    class RefusedError(Exception):
        sqlstate = "23505"

    tracer = traces.tracer("s")
    with (
        pytest.raises(RefusedError),
        told(tracer, "flush", lambda recording: [a_span(recording)]),
        timed("accept_operations"),
    ):
        raise RefusedError("Key (email)=(ann@example.org) already exists.")
    [statement] = traces.named("accept_operations")
    assert dict(statement.attributes) == {
        "db.system.name": "postgresql",
        "db.namespace": "seats",
        "db.query.summary": "accept_operations",
        "server.address": "db.test",
        "server.port": 6432,
        "db.response.status_code": "23505",
        "error.type": "RefusedError",
    }
    assert (statement.kind.name, statement.status.description, statement.events) == ("CLIENT", None, ())
    [flush] = traces.named("flush")
    assert flush.attributes["error.type"] == "RefusedError"


def test_a_stream_that_stays_open_does_not_fill_the_memory(traces):
    with Work() as recording:
        for _ in range(600):
            with timed("page_of_events"):
                pass
    with timed("somebody_elses"):
        pass
    assert (len(recording.statements), recording.dropped) == (500, 100)
    request = traces.tracer("s").request(None, method="GET")
    request.end(recording, name="GET /v1/events", attributes={}, failed=False)
    [server] = traces.named("GET /v1/events")
    assert server.attributes["seatline.statements_dropped"] == 100


def test_a_recording_that_is_over_takes_nothing_more():
    recording = Work(PARENT)
    with recording:
        assert current_parent() == PARENT
    assert current_parent() is None
    recording.add(None)
    assert (recording.statements, recording.dropped) == ([], 1)


def test_a_message_carries_its_own_span_and_says_when_it_was_not_confirmed(traces):
    tracer = traces.tracer("s")
    sending = tracer.sending("publish seatline.commands", PARENT, {"messaging.system": "rabbitmq"})
    sending.end(confirmed=False)
    [sent] = traces.spans
    assert sending.traceparent == f"00-{trace_of(sent)}-{span_of(sent)}-01"
    assert (sent.kind.name, sent.attributes["error.type"]) == ("PRODUCER", "unconfirmed")
    unwanted = tracer.sending("publish seatline.commands", UNSAMPLED, {})
    unwanted.end(confirmed=True)
    assert not is_sampled(unwanted.traceparent)
    assert len(traces.spans) == 1


def test_a_process_says_who_it_is_and_the_standard_variables_win(monkeypatch):
    assert {
        "service.name": "seatline-api",
        "service.namespace": "seatline",
        "service.version": "1.2.3",
        "service.instance.id": "host-1",
    }.items() <= dict(resource("seatline-api", "1.2.3", "host-1").attributes).items()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "seats")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,service.namespace=hr")
    named = resource("seatline-api", "1.2.3", "host-1").attributes
    assert (named["service.name"], named["service.namespace"]) == ("seats", "hr")
    assert named["deployment.environment.name"] == "staging"


async def test_spans_arrive_at_a_receiver_with_the_headers_that_it_wants(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seats")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with a_receiver() as (url, received):
        tracer = tracer_of(Settings(database_url=DATABASE, traces_endpoint=url), service="seatline-worker")
        tracer.add(a_span(Work()))
        await close_tracer(tracer)
        path, headers, body = received.get(timeout=10)
    sent = ExportTraceServiceRequest.FromString(body)
    [[span]] = [scope.spans for one in sent.resource_spans for scope in one.scope_spans]
    assert (path, headers["x-tenant"], span.name, span.trace_id.hex()) == ("/v1/traces", "seats", "apply", TRACE)


@contextmanager
def a_receiver():
    received = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            received.put((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()
