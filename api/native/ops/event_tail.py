"""The tail of all tenants' events: one reader for the process, which hands every stream what comes.

One rule: in the order of the messages' ids. One that is still being written holds back those behind it for a moment, so
that whoever resumes after an id has missed nothing before it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from typing_extensions import override

from api.native.lookout import Lookout
from infra.postgres.database import Database
from infra.postgres.reads.event_tail import HOLE_SECONDS, LoggedMessage, messages_after, settled_id

POLL_SECONDS = 0.2
PAGE = 500
# A stream that is so far behind ends; its client comes back and reads on from where it was.
MOST_WAITING = 2_000

Waiting = asyncio.Queue[LoggedMessage | None]


class EventTail(Lookout):
    """Reads while anybody follows."""

    name = "event-tail"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._followers: set[Waiting] = set()
        self._reached = 0
        self._hole_since: float | None = None

    @override
    def stop(self) -> None:
        """Let all streams end, and any that opens later."""
        super().stop()
        for waiting in self._followers:
            _end(waiting)

    async def follow(self, after: int | None, *, quiet_seconds: float) -> AsyncGenerator[LoggedMessage | None, None]:
        """Messages behind the id `after`, or from now on; None after every so many seconds without one."""
        await self._begin()
        with self._following() as waiting:
            begin = self._reached
            async for message in self._between(begin if after is None else after, begin):
                yield message
            known = max(begin, after or 0)
            while not self.is_stopping:
                try:
                    async with asyncio.timeout(quiet_seconds):
                        handed = await waiting.get()
                except TimeoutError:
                    yield None
                    continue
                if handed is None:
                    return
                if handed.id > known:
                    yield handed

    async def _begin(self) -> None:
        """Whoever comes first says from where on is read."""
        if not self._followers:
            settled = await settled_id(self._database)
            if not self._followers:  # somebody may have come meanwhile
                self._reached = settled
                self._hole_since = None

    async def _between(self, after: int, last: int) -> AsyncIterator[LoggedMessage]:
        while after < last:
            page = await messages_after(self._database, after, limit=PAGE)
            for message in page:
                if message.id <= last:
                    yield message
            after = page[-1].id if page else last

    @contextmanager
    def _following(self) -> Iterator[Waiting]:
        waiting: Waiting = asyncio.Queue(MOST_WAITING)
        self._followers.add(waiting)
        try:
            with self.watched():
                yield waiting
        finally:
            self._followers.discard(waiting)

    @override
    async def look(self) -> float:
        """Hand on what has come; at once again where there was as much as one page holds."""
        found = await messages_after(self._database, self._reached, limit=PAGE)
        whole = self._whole(found)
        for message in whole:
            for waiting in self._followers:
                _hand(waiting, message)
        if whole:
            self._reached = whole[-1].id
        return 0.0 if len(whole) == PAGE else POLL_SECONDS

    def _whole(self, found: Sequence[LoggedMessage]) -> Sequence[LoggedMessage]:
        """Those before the first id that is missing, unless it has been missing for so long that it will not come."""
        for place, message in enumerate(found):
            before = found[place - 1].id if place else self._reached
            if message.id == before + 1:
                continue
            now = asyncio.get_running_loop().time()
            if place:
                self._hole_since = now
                return found[:place]
            if self._hole_since is None:
                self._hole_since = now
            if now - self._hole_since < HOLE_SECONDS:
                return ()
        self._hole_since = None
        return found


def _hand(waiting: Waiting, message: LoggedMessage) -> None:
    if waiting.full():
        _end(waiting)
    else:
        waiting.put_nowait(message)


def _end(waiting: Waiting) -> None:
    while not waiting.empty():
        waiting.get_nowait()
    waiting.put_nowait(None)
