"""What statements run on: a transaction of the pool, or a session outside it.

One rule: every statement passes `fetched` or `executed`, which measure it under its name.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, Self

import asyncpg

from infra.measures import Histogram
from infra.postgres.statements import Statement
from infra.traces import met_in

Row = Mapping[str, Any]


class Reader(Protocol):
    """Whatever runs a statement and returns its rows: a transaction, a session, or the database itself."""

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """Run the statement and return its rows."""


class Opened(Protocol):
    """A transaction on a driver's connection: asyncpg's own, or one that begins in another way."""

    async def start(self) -> None:
        """Begin."""

    async def commit(self) -> None:
        """Commit."""

    async def rollback(self) -> None:
        """Roll back."""


class Transaction:
    """An open transaction. Every statement runs on its one connection, in the order of the calls.

    What `execute` is given goes on while its caller makes what comes next: the server writes rows while the worker
    encodes what it will tell of them. Whatever raises ends all that was to follow it, and raises before the commit.
    """

    def __init__(self, connection: asyncpg.Connection, times: Histogram) -> None:
        self._connection = connection
        self._times = times
        self._running: asyncio.Task[None] | None = None  # the last that was sent, and so all before it
        # Set just before COMMIT is sent: from then on an exception leaves the outcome unknown.
        self.commit_sent = False

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """Run the statement and return its rows.

        Raises:
            KeyError: a bind that the statement names was not given.
        """
        await self._settled()
        return await self._fetch(statement, binds)

    async def execute(self, statement: Statement, **binds: object) -> None:
        """Send the statement, for its effect alone; its error is raised by the next statement, or by the commit.

        Raises:
            KeyError: as `fetch`, but later, as any other error.
        """
        self._running = asyncio.create_task(self._after(self._running, statement, binds))
        # Twice: the first lets the task hand its message to the event loop, the second lets the loop send it.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def commit(self, opened: Opened) -> None:
        """Commit; for the pool alone, at the end of its block."""
        await self._settled()
        self.commit_sent = True
        await opened.commit()

    async def abandon(self, *, doubtful: bool) -> None:
        """Nothing is under way any more; for the pool alone. With `doubtful` nobody waits for what still is."""
        running, self._running = self._running, None
        if running is not None:
            if doubtful:
                running.cancel()
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # the block has raised already

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[None]:
        """A block whose effects are taken back at its end, whatever happens: a dry run."""
        await self._settled()
        savepoint = self._connection.transaction()
        await savepoint.start()
        try:
            yield
            await self._settled()
        finally:
            await self.abandon(doubtful=False)
            await savepoint.rollback()

    async def _after(
        self, before: asyncio.Task[None] | None, statement: Statement, binds: Mapping[str, object]
    ) -> None:
        if before is not None:
            await before
        await self._execute(statement, binds)

    async def _settled(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running

    async def _fetch(self, statement: Statement, binds: Mapping[str, object]) -> Sequence[Row]:
        return await fetched(self._connection, self._times, statement, binds)

    async def _execute(self, statement: Statement, binds: Mapping[str, object]) -> None:
        await executed(self._connection, self._times, statement, binds)


class Session:
    """A connection of its own, outside the pool: for session advisory locks, and for reads that take minutes.

    Statements commit one by one, but for those of a `snapshot`.
    """

    def __init__(self, connection: asyncpg.Connection, times: Histogram) -> None:
        self._connection = connection
        self._times = times

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()

    def terminate(self) -> None:
        """End the session without a word: one that is left because its server hangs must not wait for that server."""
        self._connection.terminate()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """A read-only transaction that sees the database as its first statement found it.

        After an exception it ends with the session.
        """
        opened = snapshot_of(self._connection)
        await opened.start()
        yield Transaction(self._connection, self._times)
        await opened.commit()

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """Run the statement in a transaction of its own and return its rows."""
        return await fetched(self._connection, self._times, statement, binds)

    async def execute(self, statement: Statement, **binds: object) -> None:
        """Run the statement in a transaction of its own, for its effect alone."""
        await executed(self._connection, self._times, statement, binds)


def snapshot_of(connection: asyncpg.Connection) -> Opened:
    """A read-only transaction that sees the database as its first statement finds it; not begun yet."""
    opened: Opened = connection.transaction(isolation="repeatable_read", readonly=True)
    return opened


async def fetched(
    connection: asyncpg.Connection, times: Histogram, statement: Statement, binds: Mapping[str, object]
) -> Sequence[Row]:
    """The statement's rows; how long it took is measured."""
    began = perf_counter()
    try:
        rows: Sequence[Row] = await connection.fetch(statement.sql, *(binds[name] for name in statement.binds))
    except Exception as error:
        met_in(error, statement.name)
        raise
    else:
        return rows
    finally:
        times.observe(perf_counter() - began, statement.name)


async def executed(
    connection: asyncpg.Connection, times: Histogram, statement: Statement, binds: Mapping[str, object]
) -> None:
    """The statement's effect alone, measured as well."""
    began = perf_counter()
    try:
        await connection.execute(statement.sql, *(binds[name] for name in statement.binds))
    except Exception as error:
        met_in(error, statement.name)
        raise
    finally:
        times.observe(perf_counter() - began, statement.name)
