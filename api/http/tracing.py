"""The span of a request: below its caller's, above everything that the request causes.

One rule: it says the route's template and ids, never the path, the query or a header; they may name people.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from infra.tracing.work import Tracer, Work, good_traceparent

# What probes ask for every few seconds is not worth a trace each.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_IDS = ("request_id", "tenant_id", "operation_id")
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Answered = Callable[[int, str], None]


@contextmanager
def request_span(tracer: Tracer, scope: Scope, method: str) -> Iterator[Answered]:
    """The request's span for the block's length; the block tells the status and the route of the answer."""
    if scope["path"] in _UNTRACED:
        yield lambda _status, _route: None
        return
    named = method if method in _KNOWN_METHODS else "_OTHER"
    span = tracer.request(good_traceparent(Headers(scope=scope).get("traceparent")), method=named)
    scope["traceparent"] = span.traceparent
    recording = Work(span.traceparent)
    answer = (0, "(none)")

    def answered(status: int, route: str) -> None:
        nonlocal answer
        answer = (status, route)

    try:
        with recording:
            yield answered
    finally:
        status, route = answer
        failed = not 0 < status < HTTPStatus.INTERNAL_SERVER_ERROR
        said = {"http.route": route, "http.response.status_code": status, "url.scheme": scope["scheme"]} | ids()
        span.end(
            recording,
            name=f"{named} {route}",
            attributes=said | ({"error.type": str(status)} if failed else {}),
            failed=failed,
        )


def ids() -> dict[str, str | int]:
    """The ids that the request's log line carries."""
    bound = structlog.contextvars.get_contextvars()
    return {f"seatline.{name}": bound[name] for name in _IDS if name in bound}
