"""Collects the spans of an API and a worker in memory, and shows a trace as a tree of names."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.tracing.otel import OtelTracer, sampler
from infra.tracing.resource import resource

DATABASE = "postgresql://seatline:a-password@db.test:6432/seats"


class Traces:
    """What has been traced so far, by every tracer that was asked for."""

    def __init__(self, *, ratio: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self._ratio = ratio

    def tracer(self, service: str) -> OtelTracer:
        """A tracer as a process of this service has it."""
        provider = TracerProvider(
            sampler=sampler(self._ratio), resource=resource(service, "1.2.3", f"{service}-1"), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        return OtelTracer(provider, database_url=DATABASE)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All spans that are over, in the order of their ends."""
        return self._exporter.get_finished_spans()

    def of(self, trace_id: str) -> list[ReadableSpan]:
        """The spans of one trace."""
        return [span for span in self.spans if trace_of(span) == trace_id]

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of this name, in whatever trace."""
        return [span for span in self.spans if span.name == name]

    def tree(self, trace_id: str, parent: str) -> dict[str, Any]:
        """What stands below this span, by name: the spans of one name are told apart by nothing."""
        return {
            span.name: self.tree(trace_id, span_of(span))
            for span in sorted(self.of(trace_id), key=lambda span: span.start_time or 0)
            if span.parent is not None and f"{span.parent.span_id:016x}" == parent
        }


def trace_of(span: ReadableSpan) -> str:
    """The id of its trace."""
    return f"{span.context.trace_id:032x}"


def span_of(span: ReadableSpan) -> str:
    """Its own id."""
    return f"{span.context.span_id:016x}"


def service_of(span: ReadableSpan) -> str:
    """The service that made it."""
    return str(span.resource.attributes["service.name"])


def linked(span: ReadableSpan) -> set[tuple[str, str]]:
    """What it is linked to: pairs of trace and span."""
    return {(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links}
