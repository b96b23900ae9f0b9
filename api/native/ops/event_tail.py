"""The tail of all tenants' events: one reader for the process, which hands every stream what comes.

One rule: in the order of the messages' ids. One that is still being written holds back those behind it for a moment, so
that whoever resumes after an id has missed nothing before it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.reads.event_tail import LoggedMessage, last_message_id, messages_after

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
# A transaction takes a fraction of this. Ids that never appear were rolled back.
HOLE_SECONDS = 2.0
PAGE = 500
# A stream that is so far behind ends; its client comes back and reads on from where it was.
MOST_WAITING = 2_000

_PAUSE_AFTER_FAULT = 1.0

Waiting = asyncio.Queue[LoggedMessage | None]


class EventTail:
    """Reads while anybody follows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: set[Waiting] = set()
        self._reached = 0
        self._hole_since: float | None = None
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Let all streams end, and any that opens later."""
        self._stopped = True
        for waiting in self._followers:
            _end(waiting)

    async def close(self) -> None:
        """Stop, and end the reading."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def follow(self, after: int | None, *, quiet_seconds: float) -> AsyncIterator[LoggedMessage | None]:
        """Messages behind the id `after`, or from now on; None after every so many seconds without one."""
        if not self._followers:
            self._reached = await last_message_id(self._database)
        with self._following() as waiting:
            begin = self._reached
            async for message in self._between(begin if after is None else after, begin):
                yield message
            while not self._stopped:
                try:
                    async with asyncio.timeout(quiet_seconds):
                        handed = await waiting.get()
                except TimeoutError:
                    yield None
                    continue
                if handed is None:
                    return
                yield handed

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
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_reading(), name="event-tail")
        try:
            yield waiting
        finally:
            self._followers.discard(waiting)

    async def _keep_reading(self) -> None:
        while self._followers and not self._stopped:
            pause = POLL_SECONDS
            try:
                full = await self._read()
                pause = 0.0 if full else POLL_SECONDS
            except Exception as error:
                if not is_transient(error):
                    log.exception("the tail of events could not be read")
                pause = _PAUSE_AFTER_FAULT
            await asyncio.sleep(pause)

    async def _read(self) -> bool:
        """Hand on what has come; whether there was as much as one page holds."""
        found = await messages_after(self._database, self._reached, limit=PAGE)
        whole = self._whole(found)
        for message in whole:
            for waiting in self._followers:
                _hand(waiting, message)
        if whole:
            self._reached = whole[-1].id
        return len(whole) == PAGE

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
