"""Spans of OpenTelemetry, from what `work` is told. Imported, and the SDK with it, only where traces are wanted.

One rule: no exception's text, no key, no path and no query becomes an attribute; they may name people.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.semconv.attributes import db_attributes, error_attributes, http_attributes, server_attributes
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes as OtelAttributes
from typing_extensions import override

from infra.tracing.work import Attributes, Kind, Span, Timed, Work, is_sampled
from infra.version import VERSION

_POSTGRES_PORT = 5432
_KINDS = {Kind.INTERNAL: SpanKind.INTERNAL, Kind.PRODUCER: SpanKind.PRODUCER, Kind.CONSUMER: SpanKind.CONSUMER}


class LinkedOrRatio(Sampler):
    """Decides where a trace begins: work for sampled requests is always recorded, of new requests so large a part."""

    def __init__(self, ratio: float) -> None:
        self._ratio = TraceIdRatioBased(ratio)

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: OtelAttributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Follow the linked spans, or the ratio where nothing is linked."""
        if any(link.context.trace_flags.sampled for link in links or ()):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._ratio.should_sample(parent_context, trace_id, name, kind, attributes, links)

    @override
    def get_description(self) -> str:
        """What the SDK calls it."""
        return f"LinkedOr{self._ratio.get_description()}"


def sampler(ratio: float) -> Sampler:
    """The caller's flag decides; where there is no caller's trace, the ratio."""
    return ParentBased(root=LinkedOrRatio(ratio))


class OtelTracer:
    """Makes spans by the provider. `database_url` names the server in the statements' spans, never its password."""

    def __init__(self, provider: TracerProvider, *, database_url: str) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("seatline", VERSION)
        self._database = _database_attributes(database_url)

    def request(self, traceparent: str | None, *, method: str) -> "OtelRequest":
        """Begin the span of a request, below its caller's where it sent one."""
        context = Context() if traceparent is None else _context(traceparent)
        attributes = {http_attributes.HTTP_REQUEST_METHOD: method}
        span = self._tracer.start_span(method, context, kind=SpanKind.SERVER, attributes=attributes)
        return OtelRequest(self, span)

    def sending(self, name: str, parent: str, attributes: Attributes) -> "OtelSending":
        """Begin the span of a message; one below an unsampled parent is not recorded, and carries that on."""
        span = self._tracer.start_span(name, _context(parent), kind=SpanKind.PRODUCER, attributes=dict(attributes))
        return OtelSending(span)

    def add(self, span: Span) -> str:
        """Make a span that is over."""
        if not is_sampled(span.parent):
            return span.parent
        return _traceparent(self._add(span, _context(span.parent)))

    def work(self, name: str, recording: Work, served: Sequence[Span], attributes: Attributes) -> None:
        """A span for each that was served, and one for the work.

        Done for one, the work stands below that one's parent and the rest below the work. Done for many, it is a trace
        of its own, linked to a span in the trace of each, and each of those to it.
        """
        wanted = [span for span in served if is_sampled(span.parent)]
        parents = {span.parent for span in wanted}
        if len(parents) > 1:
            self._shared(name, recording, wanted, attributes)
        for parent in parents if len(parents) == 1 else ():
            whole = self._whole(name, recording, _context(parent), attributes)
            for span in wanted:
                self._add(span, _of(whole))

    def _shared(self, name: str, recording: Work, served: Sequence[Span], attributes: Attributes) -> None:
        spans = [self._begin(span, _context(span.parent)) for span in served]
        links = [Link(span.get_span_context()) for span in spans]
        whole = self._whole(name, recording, Context(), attributes, links)
        for told, span in zip(served, spans, strict=True):
            span.add_link(whole.get_span_context())
            _end(span, told.error, told.ended)

    def _whole(
        self, name: str, recording: Work, below: Context, attributes: Attributes, links: Sequence[Link] = ()
    ) -> trace.Span:
        whole = self._tracer.start_span(
            name, below, attributes=dict(attributes), links=links, start_time=recording.began
        )
        self.statements(recording, whole)
        _end(whole, recording.error, recording.ended)
        return whole

    def statements(self, recording: Work, parent: trace.Span) -> None:
        """A span below the parent for each statement."""
        context = _of(parent)
        for statement in recording.statements:
            self._statement(statement, context)
        if recording.dropped:
            parent.set_attribute("seatline.statements_dropped", recording.dropped)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _add(self, span: Span, below: Context) -> trace.Span:
        made = self._begin(span, below)
        _end(made, span.error, span.ended)
        return made

    def _begin(self, span: Span, below: Context) -> trace.Span:
        return self._tracer.start_span(
            span.name, below, kind=_KINDS[span.kind], attributes=dict(span.attributes), start_time=span.began
        )

    def _statement(self, statement: Timed, context: Context) -> None:
        span = self._tracer.start_span(
            statement.name,
            context,
            kind=SpanKind.CLIENT,
            attributes={**self._database, db_attributes.DB_QUERY_SUMMARY: statement.name},
            start_time=statement.began,
        )
        if statement.sqlstate is not None:
            span.set_attribute(db_attributes.DB_RESPONSE_STATUS_CODE, statement.sqlstate)
        _end(span, statement.error, statement.ended)


class OtelRequest:
    """The span of a request that is being answered."""

    def __init__(self, tracer: OtelTracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self.traceparent = _traceparent(span)

    def end(self, recording: Work, *, name: str, attributes: Attributes, failed: bool) -> None:
        """End it: under the name of its route, which is known only now."""
        if self._span.is_recording():
            self._span.update_name(name)
            self._span.set_attributes(dict(attributes))
            self._tracer.statements(recording, self._span)
            if failed:
                self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OtelSending:
    """The span of a message that is on its way."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.traceparent = _traceparent(span)

    def end(self, *, confirmed: bool) -> None:
        """End it; one that is not confirmed is unknown, which is an error of nobody's but to be seen."""
        if not confirmed:
            self._span.set_attribute(error_attributes.ERROR_TYPE, "unconfirmed")
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _end(span: trace.Span, error: str | None, ended: int) -> None:
    if error is not None:
        span.set_attribute(error_attributes.ERROR_TYPE, error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended)


def _traceparent(span: trace.Span) -> str:
    of = span.get_span_context()
    return f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags:02x}"


def _of(span: trace.Span) -> Context:
    return trace.set_span_in_context(span, Context())


def _context(traceparent: str) -> Context:
    """The context of a span in another process, or of one that is over."""
    _, trace_id, span_id, flags = traceparent.split("-")
    parent = SpanContext(
        trace_id=int(trace_id, 16), span_id=int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def _database_attributes(url: str) -> dict[str, str | int]:
    parts = urlsplit(url)
    return {
        db_attributes.DB_SYSTEM_NAME: "postgresql",
        db_attributes.DB_NAMESPACE: parts.path.strip("/"),
        server_attributes.SERVER_ADDRESS: parts.hostname or "",
        server_attributes.SERVER_PORT: parts.port or _POSTGRES_PORT,
    }
