"""This worker's own row and lock: while the session lives the worker lives, and its row names what it runs.

Two rules: the names are written outside the pass's transaction, so that they outlive whatever the pass does; and a
worker that has only lost its session says so, or three cuts of a network would be held against what it ran.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import structlog

from infra.postgres.database import Database, Session
from infra.postgres.passes import OpenOperation
from infra.postgres.workers import (
    Doing,
    clear_inflight,
    name_chunk,
    name_inflight,
    name_quickly,
    register_worker,
    remove_worker,
    see_worker,
    take_back,
)
from workers.inflight import Named
from workers.pulse import Pulse

log = structlog.get_logger(__name__)

_PING_SECONDS = 1.0
# What was lost is asked for again at once: whoever would fail an operation waits for that, but not for long.
_FIRST_PAUSE = 0.1
# A stopped process must lose its lock although its connection still stands, and what nobody waits for must not go on: a
# registration that is done after all would be a worker that nobody is. It begins durably, since only then is it known
# whether the server has crashed.
_SESSION = {"idle_session_timeout": "5s", "statement_timeout": "4s", "synchronous_commit": "on"}
_CALL_SECONDS = 5.0
# For so long after a crash of the server its workers wait until what they name is on the disk: an operation that
# crashes it at once would take its name along, again and again.
_CAREFUL_SECONDS = 60.0
# A worker that is asked to stop, and has no session, does not wait for long.
_LEAVE_SECONDS = 1.0
# A ping takes four turns of the event loop, so that a process which was never away for longer cannot have lost its
# session by it.
_ABSENT_SECONDS = 1.0


class Liveness:
    """Registers the worker, pings, and registers anew whenever the session or the row is lost.

    `doing` is asked at every ping; what it answers is for the people who watch.
    """

    def __init__(
        self,
        *,
        database: Database,
        name: str,
        version: str,
        doing: Callable[[], Doing] = Doing,
        pulse: Pulse | None = None,
    ) -> None:
        self._database = database
        self._name = name
        self._version = version
        self._doing = doing
        self._pulse = pulse or Pulse()
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        self._pass = Named()
        self._chunk = Named()
        # Its name for itself, by which it finds what was made of its lost sessions.
        self._process = uuid4()
        # The session of which it has heard last: its row, and the name of then.
        self._former: tuple[int, UUID] | None = None
        # Until when, by the loop's clock, it names durably.
        self._careful_until = 0.0
        self.worker_id = 0

    async def run(self) -> None:
        """Ping until cancelled."""
        async with self._pulse.beating():
            pause = _FIRST_PAUSE
            while True:
                if await self._ping():
                    pause = _FIRST_PAUSE
                    await asyncio.sleep(_PING_SECONDS)
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _PING_SECONDS)

    async def name(self, operations: Sequence[OpenOperation]) -> bool:
        """Name what this worker is about to run; registers first where that has to be.

        True: another worker had named some of these tenants and has not finished; it has probably died. Also where that
        has been counted since the operations were read: what they say of themselves is no longer true.

        Raises:
            TimeoutError | OSError: the database did not answer; the pass must not go on unnamed.
        """
        named = [(operation.tenant_id, operation.id) for operation in operations]
        counts = [operation.attempts + operation.deaths_alone for operation in operations]

        def name(session: Session) -> Awaitable[bool | None]:
            self._pass.begin(named)
            return name_inflight(session, self.worker_id, named, self._chunk.running, counts=counts)

        return await self._named(name)

    async def is_careful(self) -> bool:
        """Whether the server has crashed within the last minute, or this worker was cut off for longer than that.

        Registers first where that has to be; raises as `name`.
        """

        async def asked(_session: Session) -> bool:
            return self._careful_until > 0.0

        return await self._named(asked)

    def end_pass(self) -> int:
        """The pass's transaction is about to clear what it held; returns this worker's row."""
        self._pass.end()
        return self.worker_id

    async def clear(self) -> None:
        """Name nothing of the pass any more: it was given up, and its operations are anybody's again."""
        await self._clear(self._pass, beside=self._chunk)

    async def name_chunk(self, tenant_id: int, operation_id: UUID, *, counted: int) -> bool:
        """Name the operation whose chunk this worker is about to run, beside what its pass has named; as `name`.

        `counted` are its attempts and deaths as they were read.
        """

        def name(session: Session) -> Awaitable[bool | None]:
            self._chunk.begin([(tenant_id, operation_id)])
            return name_chunk(session, self.worker_id, tenant_id, operation_id, counted=counted)

        return await self._named(name)

    def end_chunk(self) -> int:
        """The chunk's transaction is about to clear what it held: passes name it no more."""
        self._chunk.end()
        return self.worker_id

    async def clear_chunk(self) -> None:
        """As `clear`, of the chunk."""
        await self._clear(self._chunk, beside=self._pass)

    async def leave(self) -> None:
        """Take the row along; for an orderly end."""
        if self.worker_id:
            seconds = _LEAVE_SECONDS if self._session is None else _CALL_SECONDS
            async with asyncio.timeout(seconds), self._lock:
                await remove_worker(await self._registered(), self.worker_id)
                self._forget()

    async def _ping(self) -> bool:
        """Whether the session stands."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_CALL_SECONDS), self._lock:
                session = await self._registered()
                if await see_worker(session, self.worker_id, self._doing()):
                    await self._no_longer_careful(session)
                    # Whatever kept this process away before, its session has outlived it.
                    if asyncio.get_running_loop().time() - began <= _ABSENT_SECONDS:
                        self._pulse.begin()
                    return True
                self._forget()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the session, the answer is a new one
            self._forget()
            log.info("the worker's session is lost", error=repr(error))
        return False

    async def _named(self, name: Callable[[Session], Awaitable[bool | None]]) -> bool:
        try:
            async with asyncio.timeout(_CALL_SECONDS), self._lock:
                left = await name(await self._registered())
                if left is None:
                    self._forget()
                    left = await name(await self._registered())
                return bool(left)
        except BaseException:
            self._forget()
            raise

    async def _clear(self, named: Named, *, beside: Named) -> None:
        given_up = [one[1] for one in named.operations if one not in beside.running]
        named.begin(())
        try:
            async with asyncio.timeout(_CALL_SECONDS), self._lock:
                if self._session is not None:
                    await clear_inflight(self._session, self.worker_id, given_up)
        except Exception as error:  # noqa: BLE001 - as in `_ping`
            self._forget()
            log.info("the worker's session is lost", error=repr(error))

    async def _registered(self) -> Session:
        if self._session is None:
            session = await self._database.session(**_SESSION)
            try:
                await self._register(session)
            except BaseException:
                session.terminate()
                raise
            self._session = session
        return self._session

    async def _register(self, session: Session) -> None:
        running = self._running()
        if self._pulse.longest_absence > _ABSENT_SECONDS:
            # Perhaps over what it runs: as good as dead, as far as anybody can tell, and somebody else from now on.
            self._process, running = uuid4(), []
        self.worker_id, is_known = await register_worker(
            session, name=self._name, version=self._version, process=self._process, former=self._former, running=running
        )
        is_first, self._former = self._former is None, (self.worker_id, self._process)
        self._pulse.begin()
        if not (is_first or is_known):
            self._careful_until = asyncio.get_running_loop().time() + _CAREFUL_SECONDS
        if not self._careful_until:
            await name_quickly(session)
        ended = set(running).difference(self._running())
        if ended:  # while the server wrote that it runs
            await clear_inflight(session, self.worker_id, [number for _, number in ended])
        operations = await take_back(session, self.worker_id, process=self._process)
        if not is_first:
            careful = self._careful_until > 0.0
            log.info("this worker had lost its session, and lives", operations=operations, careful=careful)

    async def _no_longer_careful(self, session: Session) -> None:
        if self._careful_until and asyncio.get_running_loop().time() > self._careful_until:
            self._careful_until = 0.0
            await name_quickly(session)

    def _running(self) -> list[tuple[int, UUID]]:
        return [*self._pass.running, *self._chunk.running]

    def _forget(self) -> None:
        if self._session is not None:
            self._session.terminate()
        self._session = None
