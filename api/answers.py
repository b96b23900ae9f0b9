"""Waits for the answers of accepted operations: replies from the broker are hints, the rows are the truth.

One rule: all waiters of the process are asked for in one statement, never one by one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from api.spans import waited_for
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.operations import OperationView, read_finished, read_operations
from infra.rabbitmq.broker import Broker
from infra.tracing.work import Tracer, Work, current_parent

log = structlog.get_logger(__name__)

_FIRST_POLL = 0.02
_LAST_POLL = 0.2
_GROWTH = 1.5

Key = tuple[int, UUID]


class Answers:
    """The waiters of one API process, by operation. Several may wait for one operation (replays)."""

    def __init__(self, *, database: Database, broker: Broker | None, tracer: Tracer | None = None) -> None:
        self._database = database
        self._tracer = tracer
        self._parents: dict[Key, str] = {}
        self._broker = broker
        self._futures: dict[Key, tuple[asyncio.Future[OperationView], int]] = {}
        self._keys: dict[UUID, Key] = {}
        self._requests: dict[UUID, dict[str, Any]] = {}
        self._hinted: set[Key] = set()
        self._changed = asyncio.Event()
        self._pause = _FIRST_POLL
        self._polled_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._given_up: asyncio.Future[None] | None = None
        self.reply_to: str | None = None

    async def start(self) -> None:
        """Start listening for replies and polling for what they miss."""
        self._given_up = asyncio.get_running_loop().create_future()
        if self._broker is not None:
            self.reply_to = await self._broker.consume_replies(self._hint)
        self._task = asyncio.create_task(self._run(), name="answers")

    async def stop(self) -> None:
        """Stop; whoever still waits runs into its own timeout."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def give_up(self) -> None:
        """Let every wait end now without an answer, and every later one at once."""
        if self._given_up is not None and not self._given_up.done():
            self._given_up.set_result(None)

    @contextmanager
    def expected(self, tenant_id: int, operation_id: UUID) -> Iterator[None]:
        """Keep the answer of this operation, from now to the block's end, for `wait` to take."""
        key = (tenant_id, operation_id)
        future, waiters = self._futures.get(key) or (asyncio.get_running_loop().create_future(), 0)
        self._futures[key] = (future, waiters + 1)
        self._keys[operation_id] = key
        self._pause = _FIRST_POLL
        if self._tracer is not None and (parent := current_parent()) is not None:
            self._parents[key] = parent
        try:
            yield
        finally:
            future, waiters = self._futures[key]
            if waiters > 1:
                self._futures[key] = (future, waiters - 1)
            else:
                del self._futures[key], self._keys[operation_id]
                self._parents.pop(key, None)
                self._requests.pop(operation_id, None)
                future.cancel()

    async def wait(
        self, tenant_id: int, operation_id: UUID, limit: timedelta, *, request: dict[str, Any] | None = None
    ) -> OperationView | None:
        """The operation with its answer, or None when `limit` has passed, or `give_up` was called, without one.

        `request` is what was stored of it, where the caller has that at hand: it is not read again.
        """
        if request is not None:
            self._requests[operation_id] = request
        future, _ = self._futures[tenant_id, operation_id]
        if not limit or self._given_up is None:
            return None
        self._changed.set()
        ends: list[asyncio.Future[Any]] = [future, self._given_up]
        await asyncio.wait(ends, timeout=limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        return future.result() if future.done() else None

    async def current(self, tenant_id: int, operation_id: UUID) -> OperationView | None:
        """The operation as it stands now."""
        found = await read_operations(self._database, [(tenant_id, operation_id)])
        return found[0] if found else None

    def _hint(self, operation_ids: Sequence[UUID]) -> None:
        hinted = {self._keys[operation_id] for operation_id in operation_ids if operation_id in self._keys}
        if hinted:
            self._hinted |= hinted
            self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._round()
            except Exception as error:
                if not is_transient(error):
                    log.exception("answers could not be read")
                await asyncio.sleep(_LAST_POLL)

    async def _round(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._futures:
            await self._changed.wait()
            self._polled_at = loop.time()
        polled = await self._paused()
        keys = self._unanswered() if polled else [key for key in self._hinted if key in self._futures]
        self._hinted.clear()
        if polled:
            self._polled_at = loop.time()
        if keys and await self._read(keys):
            self._pause = _FIRST_POLL
        elif polled:
            self._pause = min(self._pause * _GROWTH, _LAST_POLL)

    async def _paused(self) -> bool:
        """Wait for a hint; True when it is time to ask for everyone, however many hints come for others."""
        replies_come = self._broker is not None and self._broker.reachable
        loop = asyncio.get_running_loop()
        deadline = self._polled_at + (_LAST_POLL if replies_come else self._pause)
        while not self._hinted:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return True
        return loop.time() >= deadline

    def _unanswered(self) -> list[Key]:
        return [key for key, (future, _) in self._futures.items() if not future.done()]

    async def _read(self, keys: Sequence[Key]) -> bool:
        views = await self._read_finished(keys)
        for view in views:
            future, _ = self._futures.get((view.tenant_id, view.id), (None, 0))
            if future is not None and not future.done():
                future.set_result(view)
        return bool(views)

    async def _read_finished(self, keys: Sequence[Key]) -> Sequence[OperationView]:
        if self._tracer is None:
            return await read_finished(self._database, keys, self._requests)
        with Work() as reading:
            views = await read_finished(self._database, keys, self._requests)
        # Who is still waiting is asked for again and again; only the reading that answers is worth a span.
        parents = [parent for view in views if (parent := self._parents.get((view.tenant_id, view.id))) is not None]
        self._tracer.work("read answers", reading, waited_for("read answer", parents, reading), {})
        return views
