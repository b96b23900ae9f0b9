"""Keeps one connection to the broker open for as long as the process runs.

One rule: any doubt ends the session. A lost connection, a closed channel, a cancelled consumer, a returned claim or a
silent broker all lead to the same place: close, wait a little, connect and declare again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine

import structlog

from infra.rabbitmq.faults import BrokerLostError, guarded
from infra.rabbitmq.transport import CLOSE_SECONDS, Transport

_log = structlog.get_logger(__name__)

PREPARE_SECONDS = 15.0
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MOST_SECONDS = 5.0


class Session:
    """What lives exactly as long as one connection."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.reason = ""
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def usable(self) -> bool:
        """Whether the connection stands and the broker reads from it."""
        return not self._ended.is_set() and not self.transport.blocked

    def end(self, reason: str) -> None:
        """Give the session up; the first reason is the one that is logged."""
        if not self._ended.is_set():
            self.reason = reason
            self._ended.set()

    def doubt(self, reason: str) -> None:
        """Give the session up unless the broker merely blocks it.

        Under an alarm a new connection would be blocked in its turn, and what lies in this one is delivered later: each
        renewal would only add repetitions.
        """
        if not self.transport.blocked:
            self.end(reason)

    async def ended(self) -> None:
        """Wait until somebody gave the session up."""
        await self._ended.wait()

    def attach(self, work: Coroutine[None, None, None]) -> None:
        """Run a task that ends with the session, and whose failure ends the session."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._detach)

    def _detach(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self.end("a task was cancelled")
        elif (error := task.exception()) is not None:
            self.end(repr(error))

    async def close(self) -> None:
        """End the session and everything that belongs to it."""
        self.end("closed")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await self.transport.close()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)


class Link:
    """A connection that is opened again whenever it is lost, and prepared by `prepare` each time."""

    def __init__(self, *, url: str, name: str, prepare: Callable[[Session], Awaitable[None]]) -> None:
        self._url = url
        self._name = name
        self._prepare = prepare
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._prepared = False
        self._missed = False
        self._delay = BACKOFF_FIRST_SECONDS

    @property
    def usable(self) -> bool:
        """Whether there is a prepared session and the broker reads from it."""
        return self._prepared and self._session is not None and self._session.usable

    def start(self) -> None:
        """Begin connecting in the background; a second call changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"link {self._name}")

    async def stop(self) -> None:
        """Close the connection and stop connecting."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def renew(self, reason: str) -> None:
        """End the present session, if any, so that the next one is prepared afresh."""
        if self._session is not None:
            self._session.end(reason)

    async def _run(self) -> None:
        while True:
            try:
                await guarded(self._live_once())
            except Exception as error:  # noqa: BLE001 - a lost broker takes many shapes and none may end this loop
                self._report(error)
            await asyncio.sleep(self._delay * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            self._delay = min(self._delay * 2, BACKOFF_MOST_SECONDS)

    async def _live_once(self) -> None:
        transport = await Transport.open(self._url, name=self._name)
        self._session = session = Session(transport)
        transport.connection.close_callbacks.add(lambda *_: session.end("connection lost"))
        try:
            await self._prepare_in_time(session)
            self._prepared, self._missed, self._delay = True, False, BACKOFF_FIRST_SECONDS
            _log.info("broker.connected", connection=self._name)
            await session.ended()
            _log.warning("broker.session_ended", connection=self._name, reason=session.reason)
        finally:
            self._prepared = False
            await session.close()

    def _report(self, error: Exception) -> None:
        """Say once that the broker is missed; the attempts that follow are for whoever looks closely."""
        log = _log.debug if self._missed else _log.warning
        log("broker.unreachable", connection=self._name, error=repr(error))
        self._missed = True

    async def _prepare_in_time(self, session: Session) -> None:
        preparing = asyncio.ensure_future(self._prepare(session))
        # Where the session has ended first, that is the error; what it made of the preparation is nobody's to hear.
        preparing.add_done_callback(lambda done: done.cancelled() or done.exception())
        ended = asyncio.ensure_future(session.ended())
        try:
            await asyncio.wait({preparing, ended}, timeout=PREPARE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not preparing.done():
                raise BrokerLostError(session.reason or "declaring took too long")
            await preparing
        finally:
            preparing.cancel()
            ended.cancel()
