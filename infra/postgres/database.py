"""One pool of connections to Postgres, and the transactions in which named statements run.

One rule: the write path runs raw asyncpg on connections that SQLAlchemy's pool owns; see docs/adr/0002 for the ratio.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import structlog
from pydantic_core import from_json
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from infra.measures import Measures
from infra.postgres import bigint_arrays
from infra.postgres.sessions import Opened, Reader, Row, Session, Transaction, fetched, snapshot_of
from infra.postgres.statements import Statement

# Whoever works with the database takes all of it from here.
__all__ = ["NO_SUCH_ROLE", "Database", "Opened", "Reader", "Reads", "Row", "Session", "Transaction", "plain_dsn"]

log = structlog.get_logger(__name__)

# A holder must not become a ghost: Postgres ends a session whose client sleeps inside a transaction, and the kernel
# one whose client has vanished. Keepalives: 5 s of silence, then 3 probes 2 s apart.
_SESSION = {
    "idle_in_transaction_session_timeout": "5s",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "jit": "off",
    "timezone": "UTC",
}
_CONNECT_SECONDS = 5.0
# More than statement_timeout: a server that is still there has ended the statement by then, so this one has vanished.
_SILENCE_SECONDS = 40.0
# A prepared statement keeps the plan that suited its tables when they were small, until they are analyzed; a fresh one
# looks at their size. A single assignment took 10 ms, then 25 and 41, while a new installation filled up.
_PLAN_SECONDS = 3
# What Postgres answers to a role that does not exist, and to one that the login is no member of.
NO_SUCH_ROLE = (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError)
# Three quarters of the time of json.loads; what is stored has few keys and many values.
_READ_JSON = partial(from_json, cache_strings="keys")
# After these nobody knows what the session is doing: a statement may still run, or the server has said farewell.
_DOUBTFUL = (asyncio.CancelledError, TimeoutError, asyncpg.InternalClientError)


class Reads(Protocol):
    """Where a read gets its rows: the whole database, or what a fence leaves of it for one tenant."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction, ended with the block."""

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """One statement in a transaction of its own."""


Begin = Callable[[asyncpg.Connection], Opened]


class Database:
    """The process's one pool. Construction does not connect; the first use does.

    What the process measures of itself goes with it: whoever has the pool has `measures`.

    `patience` is how long a transaction or a single statement may take as the client sees it; beyond it a TimeoutError
    is raised and the session ended. A server that hangs enforces no timeouts of its own. None: no bound.

    `role` is what every session of the pool acts as; where this login may not, or there is none, it acts as itself.
    `beside` is another pool of the process: it keeps the measures, and both pools' connections are counted together.

    `plans_once` plans a statement once and not for what it is asked each time. For statements that name their rows:
    planned so, a page of group assignments among ten million took 39 ms, and the first of entitlements 66, instead of
    less than 14 (`./dev bench --only lists`).
    """

    transaction_type: type[Transaction] = Transaction

    def __init__(
        self,
        url: str,
        *,
        name: str = "seatline",
        size: int = 8,
        patience: timedelta | None = None,
        role: str | None = None,
        measures: Measures | None = None,
        beside: "Database | None" = None,
        plans_once: bool = False,
    ) -> None:
        self.measures: Measures = beside.measures if beside is not None else measures or Measures()
        self._times = self.measures.database.statements
        self._patience = None if patience is None else patience.total_seconds()
        self._role = role
        self._dsn = plain_dsn(url)
        plans = {"plan_cache_mode": "force_generic_plan"} if plans_once else {}
        self._session = {**_SESSION, **plans, "application_name": name}
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            json_deserializer=_READ_JSON,
            pool_size=size,
            max_overflow=0,
            pool_timeout=_CONNECT_SECONDS,
        )
        self._pools: list[AsyncEngine] = [*(() if beside is None else beside._pools), self._engine]  # noqa: SLF001 - another of its kind
        self._size: int = size + (0 if beside is None else beside._size)  # noqa: SLF001 - as above
        self.measures.database.most.set(self._size)
        self.measures.database.connections.follow(self._connections)

    async def close(self) -> None:
        """Give all pooled connections back to the server."""
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A READ COMMITTED transaction, committed at the block's end, rolled back on any exception.

        After an exception with `commit_sent` the outcome is unknown: look before you redo.
        """
        async with self.begun_by(lambda driver: driver.transaction()) as tx:
            yield tx

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """A read-only transaction that sees the database as its first statement found it, whatever is committed since.

        It blocks nobody; while it lasts, vacuum keeps the rows that it may still read.
        """
        async with self.begun_by(snapshot_of) as tx:
            yield tx

    @asynccontextmanager
    async def begun_by(self, begin: Begin) -> AsyncIterator[Transaction]:
        """As `transaction`, begun as the caller wants it."""
        async with asyncio.timeout(self._patience), self._pooled() as pooled:
            driver = await _living(pooled)
            opened = begin(driver)
            tx = self.transaction_type(driver, self._times)
            try:
                await opened.start()
                yield tx
                await tx.commit(opened)
            except BaseException as error:
                doubtful = isinstance(error, _DOUBTFUL)
                await tx.abandon(doubtful=doubtful)
                await _abandon(pooled, driver, opened, doubtful=doubtful)
                raise

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """One statement in a transaction of its own: a third of the round trips of `transaction`."""
        async with asyncio.timeout(self._patience), self._pooled() as pooled:
            driver = await _living(pooled)
            try:
                return await fetched(driver, self._times, statement, binds)
            except BaseException as error:
                if isinstance(error, _DOUBTFUL) or driver.is_closed():
                    driver.terminate()
                    await pooled.invalidate()
                raise

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A SQLAlchemy connection in a read-only transaction, for Core selects."""
        async with self._pooled() as pooled:
            yield pooled

    async def session(self, **settings: str) -> Session:
        """Open a session outside the pool, with further server settings; the caller closes it by `async with`."""
        return Session(await self._connect(**settings), self._times)

    @asynccontextmanager
    async def _pooled(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool; how long it took to get it is measured."""
        asked = perf_counter()
        try:
            async with self._engine.connect() as pooled:
                self.measures.database.waits.observe(perf_counter() - asked)
                yield pooled
        except PoolTimeoutError:
            self.measures.database.timeouts.add()
            raise

    def _connections(self) -> Mapping[tuple[str, ...], float]:
        pools = [engine.pool for engine in self._pools if isinstance(engine.pool, QueuePool)]
        in_use, idle = sum(pool.checkedout() for pool in pools), sum(pool.checkedin() for pool in pools)
        return {("in_use",): in_use, ("idle",): idle} if pools else {}

    async def _connect(self, **settings: str) -> asyncpg.Connection:
        if self._role is not None:
            try:
                return await self._connect_as_itself(role=self._role, **settings)
            except NO_SUCH_ROLE as error:
                log.warning("a pool acts as its login", role=self._role, reason=type(error).__name__)
                self._role = None
        return await self._connect_as_itself(**settings)

    async def _connect_as_itself(self, **settings: str) -> asyncpg.Connection:
        async with asyncio.timeout(_CONNECT_SECONDS):
            connection = await asyncpg.connect(
                self._dsn,
                command_timeout=_SILENCE_SECONDS,
                max_cached_statement_lifetime=_PLAN_SECONDS,
                server_settings={**self._session, **settings},
            )
        bigint_arrays.teach(connection)
        return connection


async def _living(pooled: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection; one that the server has ended since its last use is replaced by a new one."""
    driver: asyncpg.Connection = (await pooled.get_raw_connection()).driver_connection
    if driver.is_closed():
        await pooled.invalidate()
        driver = (await pooled.get_raw_connection()).driver_connection
    return driver


async def _abandon(pooled: AsyncConnection, driver: asyncpg.Connection, opened: Opened, *, doubtful: bool) -> None:
    """Roll back, or, where the session's state is in doubt, end it: the pool must not hand it on."""
    if not doubtful and not driver.is_closed() and driver.is_in_transaction():
        with contextlib.suppress(Exception):
            await opened.rollback()
            return
    if doubtful or driver.is_closed() or driver.is_in_transaction():
        # terminate does not wait for the server, which may be what hangs.
        driver.terminate()
        await pooled.invalidate()


def plain_dsn(url: str) -> str:
    """The URL without SQLAlchemy's driver suffix, as asyncpg wants it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=parts.scheme.partition("+")[0]))
