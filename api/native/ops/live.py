"""Streams of what changes by itself, as server-sent events: one reader for the process, however many watch.

One rule: a stream ends with its client, with the process, and with its caller's right to it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from api.authentication import TooManyBadCredentialsError, UnauthenticatedError
from api.http.context import RequestContext, caller_of
from api.native.event_stream import MEDIA_TYPE
from infra.postgres.faults import is_transient

log = structlog.get_logger(__name__)

T = TypeVar("T")
# How often a stream asks whether its caller may still read it.
ALLOWED_EVERY_SECONDS = 5.0


class Feed(Generic[T]):
    """Reads again and again while anybody watches, and hands everybody the same."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, every_seconds: float) -> None:
        self._read = read
        self._every = every_seconds
        self._watchers = 0
        self._latest: T | None = None
        self._turn = 0
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_stopping(self) -> bool:
        """The process ends: streams should too."""
        return self._stopped.is_set()

    @property
    def turn(self) -> int:
        """How often it has read."""
        return self._turn

    def stop(self) -> None:
        """Let all streams end, and any that opens later."""
        self._stopped.set()
        self._wake()

    async def close(self) -> None:
        """Stop, and end the reading."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Have it read for the length of the block."""
        self._watchers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_reading(), name="feed")
        try:
            yield
        finally:
            self._watchers -= 1

    async def after(self, turn: int) -> tuple[int, T] | None:
        """The next that is read after this turn, with its own; None when the process ends."""
        while self._turn <= turn or self._latest is None:
            if self.is_stopping:
                return None
            await self._changed.wait()
        return self._turn, self._latest

    async def _keep_reading(self) -> None:
        while self._watchers and not self.is_stopping:
            try:
                self._latest = await self._read()
            except Exception as error:
                if not is_transient(error):
                    log.exception("a feed could not be read")
            else:
                self._turn += 1
                self._wake()
            await asyncio.sleep(self._every)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class LiveStream(Response):
    """Sends the parts as they come, until they end or the client goes away."""

    media_type = MEDIA_TYPE

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until something ends it; the end is a proper one for the client, which then comes back."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send_all(send), name="stream-parts")
        gone = asyncio.create_task(_disconnected(receive), name="stream-client")
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        # A comment at once, so that the client knows that it is connected.
        await send({"type": "http.response.body", "body": b": following\n\n", "more_body": True})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})


class Permission:
    """Whether the caller of a stream may still read it, asked again now and then."""

    def __init__(self, context: RequestContext, *scopes: str) -> None:
        self._context = context
        self._scopes = scopes
        self._ask_at = 0.0

    async def lasts(self) -> bool:
        """False once the token has been revoked or has expired."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_at:
            return True
        self._ask_at = now + ALLOWED_EVERY_SECONDS
        try:
            caller = await caller_of(self._context.request)
        except (UnauthenticatedError, TooManyBadCredentialsError):
            return False
        except Exception as error:
            # The database is away: that is what the stream has to tell, and nobody is revoked by it.
            if is_transient(error):
                return True
            raise
        return caller.is_operator and caller.may(*self._scopes)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def message(event: str, data: bytes, *, identifier: str | None = None) -> bytes:
    """One server-sent event; the data hold no line feed."""
    named = b"" if identifier is None else b"id: %b\n" % identifier.encode()
    return named + b"event: %b\ndata: %b\n\n" % (event.encode(), data)
