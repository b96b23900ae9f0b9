"""The tenant's events as server-sent events: what the log holds after a sequence, then what comes, as it comes.

One rule: a stream ends rather than skips. It ends with the process, with the client, with the caller's right to it,
and at a gap; the client resumes by Last-Event-ID.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

import structlog

from api.native.following import LogFollower
from api.native.streaming import KEEP_ALIVE_SECONDS, message
from infra.cloudevents import wire_sequence, wire_type
from infra.postgres.faults import is_transient
from infra.postgres.reads.events import EventsExpiredError, LoggedEvent, LogPage

log = structlog.get_logger(__name__)

ReadPage = Callable[[int], Awaitable[LogPage]]
"""Reads the page after a sequence; raises when the caller may no longer read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A tenant's log, read page by page for one caller."""

    tenant_id: int
    read: ReadPage
    may_go_on: Callable[[], Awaitable[bool]]
    follower: LogFollower

    async def parts(self, first: LogPage) -> AsyncGenerator[bytes, None]:
        """The parts of a stream; `first` was read before the response began, so that a refusal is a proper one."""
        page: LogPage | None = first
        with self.follower.watching(self.tenant_id):
            while page is not None and not self.follower.is_stopping:
                if page.events:
                    yield b"".join(map(_message, page.events))
                if page.next >= page.head and not await self._grew(page.next):
                    # An id without data moves a client's Last-Event-ID past what its types leave out.
                    yield b": keep-alive\nid: %b\n\n" % wire_sequence(page.next).encode()
                page = await self._next(page)

    async def _next(self, page: LogPage) -> LogPage | None:
        """The page after this one; None where the stream has to end."""
        try:
            if self.follower.is_stopping or not await self.may_go_on():
                return None
            return await self.read(page.next)
        except EventsExpiredError:
            log.info("a stream fell behind the log's retention")
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a stream ends because the database does not serve", error=type(error).__name__)
        return None

    async def _grew(self, sequence: int) -> bool:
        """True when there is more to read, or the process ends; False when it is time for a sign of life."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await self.follower.beyond(self.tenant_id, sequence)
        except TimeoutError:
            return False
        return True


def _message(event: LoggedEvent) -> bytes:
    return message(wire_type(event.type), event.body, identifier=wire_sequence(event.sequence))
