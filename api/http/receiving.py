"""Receives a request's body within bounds of size and time, whatever its headers promise.

One rule: a body is counted as it comes in, never by its Content-Length alone.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from api.errors.api_error import ApiError, FieldProblem
from domain.errors import ErrorCode

BODY_SECONDS = 30.0
"""How long a body may take to arrive; more is a connection held open for nothing."""


class BoundedReceive:
    """An ASGI `receive` that refuses what is too large or too slow."""

    def __init__(self, scope: Scope, receive: Receive, *, max_bytes: int, seconds: float = BODY_SECONDS) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._promised = Headers(scope=scope).get("content-length", "0")
        self._received = 0
        self._complete = False
        self._deadline: float | None = None

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            ApiError: BODY_TOO_LARGE, or MALFORMED_JSON for a body that does not arrive.
        """
        if self._complete:  # from here on only a disconnect can come, whenever it does
            return await self._receive()
        if self._promised.isascii() and self._promised.isdigit() and int(self._promised[:20]) > self._max_bytes:
            raise self._too_large()
        message = await self._in_time()
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            raise self._too_large()
        self._complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            late = FieldProblem(field="", problem="too_slow", limit=int(self._seconds))
            raise ApiError(ErrorCode.MALFORMED_JSON, problems=[late], headers={"Connection": "close"}) from None

    def _too_large(self) -> ApiError:
        return ApiError(ErrorCode.BODY_TOO_LARGE, details={"limit": self._max_bytes})
