"""What traces cost: nothing but a few checks where they are off, and what spans cost where they are on (docs/adr).

The connection is one that answers at once, so that only what stands around a statement is measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from typing_extensions import override

from infra.measures import Measures
from infra.postgres.database import Transaction
from infra.postgres.statements import Statement
from infra.postgres.traced import TracedTransaction
from infra.tracing.otel import OtelTracer, sampler
from infra.tracing.work import Span, Tracer, Work
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan

SECTION = "traces"
# Middleware, token lookup (twice), flush, answers (twice) and the claim's arrival ask whether there is a tracer.
CHECKS_OF_A_WRITE = 7
STATEMENTS_OF_A_PASS = 15
_STATEMENT = Statement(name="lock_tenants", sql="SELECT 1", binds=())
_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def measure(plan: Plan) -> list[Figure]:
    """Nanoseconds of each path, in turns."""
    times = 2_000 if plan.quick else 100_000

    async def run(sheet: Sheet) -> None:
        checks = _timed(_checks, times)
        sheet.note("off: the checks of one write", checks, "ns")
        connection, kept = cast("Any", _Connection()), Measures().database.statements
        plain, traced = Transaction(connection, kept), TracedTransaction(connection, kept)
        sheet.note("off: a statement", await _awaited(lambda: plain.fetch(_STATEMENT), times), "ns")
        sheet.note("on: a statement of nobody's", await _awaited(lambda: traced.fetch(_STATEMENT), times), "ns")
        with Work() as recording:
            sheet.note("on: a statement that is kept", await _awaited(lambda: traced.fetch(_STATEMENT), 500), "ns")
        del recording.statements[STATEMENTS_OF_A_PASS:]
        provider = TracerProvider(sampler=sampler(1.0), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(_Sink()))
        tracer = OtelTracer(provider, database_url="postgresql://db/seatline")
        for wanted, parent in (("not wanted", _PARENT[:-2] + "00"), ("wanted", _PARENT)):
            cost = _timed(lambda parent=parent: _a_pass(tracer, recording, parent), times // 100) / 1_000
            sheet.note(f"on: spans of a pass with {STATEMENTS_OF_A_PASS} statements, {wanted}", cost, "µs")
        await asyncio.to_thread(provider.shutdown)

    return await plan.measure(SECTION, run)


def _a_pass(tracer: Tracer, recording: Work, parent: str) -> None:
    served = Span(name="apply users.put", parent=parent, began=recording.began, ended=recording.ended)
    tracer.work("pass", recording, [served], {})


class _Untraced:
    """Something that would be traced, and is not."""

    def __init__(self) -> None:
        self._tracer: Tracer | None = None

    def check(self) -> bool:
        """As each place asks, so many times as one write meets."""
        return (
            self._tracer is None
            and self._tracer is None
            and self._tracer is None
            and self._tracer is None
            and self._tracer is None
            and self._tracer is None
            and self._tracer is None
        )


_checks = _Untraced().check


class _Connection:
    """Answers at once."""

    async def fetch(self, *_: object) -> Sequence[object]:
        """No rows."""
        return ()


class _Sink(SpanExporter):
    """Takes spans and forgets them."""

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def _timed(work: Callable[[], object], times: int) -> float:
    """Nanoseconds of one call."""
    began = time.perf_counter_ns()
    for _ in range(times):
        work()
    return (time.perf_counter_ns() - began) / times


async def _awaited(work: Callable[[], Awaitable[object]], times: int) -> float:
    """Nanoseconds of one call that is awaited."""
    began = time.perf_counter_ns()
    for _ in range(times):
        await work()
    return (time.perf_counter_ns() - began) / times
