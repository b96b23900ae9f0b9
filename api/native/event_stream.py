"""The tenant's events as server-sent events: what the log holds after a sequence, then what comes, as it comes.

One rule: a stream ends rather than skips. It ends with the process, with the client, with the caller's right to it,
and at a gap; the client resumes by Last-Event-ID.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from api.native.following import LogFollower
from infra.cloudevents import wire_sequence, wire_type
from infra.postgres.faults import is_transient
from infra.postgres.reads.events import EventsExpiredError, LoggedEvent, LogPage

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
# Below the idle limits of common proxies (60 s), and soon enough to notice a client that is gone.
KEEP_ALIVE_SECONDS = 15.0

ReadPage = Callable[[int], Awaitable[LogPage]]
"""Reads the page after a sequence; raises when the caller may no longer read."""


class EventStream(Response):
    """Sends pages as they come. `first` was read before the response began, so that a refusal is a proper one."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        *,
        tenant_id: int,
        first: LogPage,
        read: ReadPage,
        may_go_on: Callable[[], Awaitable[bool]],
        follower: LogFollower,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._tenant_id = tenant_id
        self._first = first
        self._read = read
        self._may_go_on = may_go_on
        self._follower = follower

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until something ends it; the end is a proper one for the client, which then comes back."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.create_task(_disconnected(receive), name="stream-client")
        try:
            with self._follower.watching(self._tenant_id):
                async for chunk in self._chunks(gone):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _chunks(self, gone: asyncio.Task[None]) -> AsyncIterator[bytes]:
        page = self._first
        # Sent at once, so that the client knows that it is connected.
        yield b": following\n\n" + b"".join(map(_message, page.events))
        while not gone.done() and not self._follower.is_stopping:
            if page.next >= page.head and not await self._grew(page.next, gone):
                # An id without data moves a client's Last-Event-ID past what its types leave out.
                yield b": keep-alive\nid: %b\n\n" % wire_sequence(page.next).encode()
            following = await self._next(page)
            if following is None:
                return
            page = following
            if page.events:
                yield b"".join(map(_message, page.events))

    async def _next(self, page: LogPage) -> LogPage | None:
        """The page after this one; None where the stream has to end."""
        try:
            if self._follower.is_stopping or not await self._may_go_on():
                return None
            return await self._read(page.next)
        except EventsExpiredError:
            log.info("a stream fell behind the log's retention")
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a stream ends because the database does not serve", error=type(error).__name__)
        return None

    async def _grew(self, sequence: int, gone: asyncio.Task[None]) -> bool:
        """True when there is more to read; False when it is time for a sign of life, or the client is gone."""
        grown = asyncio.create_task(self._follower.beyond(self._tenant_id, sequence), name="stream-growth")
        try:
            done, _ = await asyncio.wait({grown, gone}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            grown.cancel()
        return grown in done


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _message(event: LoggedEvent) -> bytes:
    # An event's JSON holds no line feed: one data line is the whole.
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        wire_sequence(event.sequence).encode(),
        wire_type(event.type).encode(),
        event.body,
    )
