"""Around every request: its id, its bounds, its log line, its measures, and an answer whatever happens inside.

One rule: pure ASGI; a BaseHTTPMiddleware would cancel database work when a client goes away.
"""

import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.failures import error_response, refusal_of
from api.http.metrics import HttpMetrics
from api.http.receiving import BoundedReceive
from api.http.services import services_of
from api.http.tracing import request_span
from infra.tracing.work import Tracer

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# What probes ask for every few seconds is not worth a line each.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(slots=True)
class _Sent:
    """What has gone out so far. `status` 0: nothing yet. To a HEAD goes what a GET would get, without the body.

    `more` are headers that whoever serves the request adds to its answer, whichever it will be.
    """

    send: Send
    request_id: str
    is_head: bool
    more: dict[str, str]
    status: int = 0
    is_over: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.update(self.more)
        elif self.is_head:
            if self.is_over:
                return
            self.is_over = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self.send(message)


class RequestMiddleware:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, *, metrics: HttpMetrics, max_body_bytes: int, tracer: Tracer | None = None
    ) -> None:
        self._app = app
        self._tracer = tracer
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope; lifespan and others pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope["request_id"] = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=scope["request_id"])
        method = scope["method"]
        sent = _Sent(send=send, request_id=scope["request_id"], is_head=method == "HEAD", more={})
        scope["response_headers"] = sent.more
        if sent.is_head:  # the server still knows what was asked
            scope = {**scope, "method": "GET"}
        self._metrics.begin()
        bounded = BoundedReceive(scope, receive, max_bytes=self._max_body_bytes)
        try:
            if self._tracer is None:
                await self._serve(scope, bounded, sent)
            else:
                with request_span(self._tracer, scope, method) as answered:
                    await self._serve(scope, bounded, sent)
                    answered(sent.status, route_of(scope))
        finally:
            self._record(scope, method, sent.status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, sent: _Sent) -> None:
        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            if sent.status:  # half an answer is out: only cutting the connection says that it is not whole
                raise
            await error_response(scope, refusal_of(error))(scope, receive, sent)

    def _record(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = route_of(scope)
        dialect = services_of(scope).family_of(scope["path"]).name
        self._metrics.end(dialect=dialect, method=method, route=route, status=status, seconds=seconds)
        write = log.debug if route in _QUIET else log.info
        write("request", method=method, route=route, status=status, duration_ms=round(seconds * 1000, 2))


def route_of(scope: Any) -> str:
    """The template of the route that answered; a path that nobody serves is not repeated anywhere."""
    return str(getattr(scope.get("route"), "path", "(none)"))


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex
