"""This worker's own row and lock: while the session lives the worker lives, and its row names what it runs.

One rule: the names are written outside the pass's transaction, so that they outlive whatever the pass does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog

from infra.postgres.database import Database, Session
from infra.postgres.passes import OpenOperation
from infra.postgres.workers import (
    Doing,
    clear_inflight,
    name_chunk,
    name_inflight,
    register_worker,
    remove_worker,
    see_worker,
)

log = structlog.get_logger(__name__)

_PING_SECONDS = 1.0
# A stopped process must lose its lock although its connection still stands.
_IDLE_SESSION = "5s"
_CALL_SECONDS = 5.0


class Liveness:
    """Registers the worker, pings, and registers anew whenever the session or the row is lost.

    `doing` is asked at every ping; what it answers is for the people who watch.
    """

    def __init__(self, *, database: Database, name: str, version: str, doing: Callable[[], Doing] = Doing) -> None:
        self._database = database
        self._name = name
        self._version = version
        self._doing = doing
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        self._passing: list[tuple[int, UUID]] = []
        self._chunk: list[tuple[int, UUID]] = []
        self.worker_id = 0

    async def run(self) -> None:
        """Ping until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_CALL_SECONDS), self._lock:
                    session = await self._registered()
                    if not await see_worker(session, self.worker_id, self._doing()):
                        self._forget()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the session, the answer is a new one
                self._forget()
                log.info("the worker's session is lost", error=repr(error))
            await asyncio.sleep(_PING_SECONDS)

    async def name(self, operations: Sequence[OpenOperation]) -> bool:
        """Name what this worker is about to run; registers first where that has to be.

        True: another worker had named some of these tenants and has not finished; it has probably died. Also where that
        has been counted since the operations were read: what they say of themselves is no longer true.

        Raises:
            TimeoutError | OSError: the database did not answer; the pass must not go on unnamed.
        """
        self._passing = [(operation.tenant_id, operation.id) for operation in operations]
        counted = sum(operation.attempts + operation.deaths_alone for operation in operations)
        return await self._named(
            lambda session: name_inflight(session, self.worker_id, self._passing, self._chunk, counted=counted)
        )

    async def name_chunk(self, tenant_id: int, operation_id: UUID, *, counted: int) -> bool:
        """Name the operation whose chunk this worker is about to run, beside what its pass has named; as `name`.

        `counted` are its attempts and deaths as they were read.
        """
        self._chunk = [(tenant_id, operation_id)]
        return await self._named(
            lambda session: name_chunk(session, self.worker_id, tenant_id, operation_id, counted=counted)
        )

    def end_chunk(self) -> int:
        """The chunk's transaction is about to clear what it held: passes name it no more."""
        self._chunk = []
        return self.worker_id

    async def clear(self) -> None:
        """Name nothing of the pass any more: it was given up, and its operations are anybody's again."""
        await self._clear(self._passing)

    async def clear_chunk(self) -> None:
        """The same of the chunk."""
        given_up, self._chunk = self._chunk, []
        await self._clear(given_up)

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

    async def _clear(self, held: Sequence[tuple[int, UUID]]) -> None:
        try:
            async with asyncio.timeout(_CALL_SECONDS), self._lock:
                if self._session is not None:
                    await clear_inflight(self._session, self.worker_id, [number for _, number in held])
        except Exception as error:  # noqa: BLE001 - as in `run`
            self._forget()
            log.info("the worker's session is lost", error=repr(error))

    async def leave(self) -> None:
        """Take the row along; for an orderly end."""
        if self._session is not None:
            async with self._lock:
                await remove_worker(self._session, self.worker_id)
                self._forget()

    async def _registered(self) -> Session:
        if self._session is None:
            self._session = await self._database.session(idle_session_timeout=_IDLE_SESSION, synchronous_commit="off")
            self.worker_id = await register_worker(self._session, name=self._name, version=self._version)
        return self._session

    def _forget(self) -> None:
        if self._session is not None:
            self._session.terminate()
        self._session = None
