"""Acceptance: a command becomes a committed row, a claim goes out, and the caller's answer is awaited.

One rule: the commit of the row is the acceptance; whatever the broker does afterwards cannot lose it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from api.acceptance import Acceptance, AcceptanceUnknownError, DatabaseUnavailableError
from api.answers import Answers
from api.claims import Claims
from domain.commands import Command
from infra.postgres.database import Database, Transaction
from infra.postgres.faults import is_transient
from infra.postgres.operations import (
    KeyHolder,
    NewOperation,
    OperationView,
    Presentation,
    accept_operations,
    new_operation_id,
)
from infra.rabbitmq.broker import Broker
from infra.settings import Settings
from infra.tracing.work import Tracer

# A stopping server cuts connections after 8 s; a caller that has its 202 by then need not guess.
_GRACE_SECONDS = 5.0


class IdempotencyKeyReusedError(Exception):
    """The idempotency key belongs to another request."""


class IdempotencyKeyTakenError(Exception):
    """Somebody else has just accepted the same; nothing was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A command to accept. `fingerprint` tells whether a reused idempotency key means the same request."""

    tenant_id: int
    command: Command
    presentation: Presentation
    fingerprint: bytes
    idempotency_key: str | None = None
    dry_run: bool = False
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The operation as it stands when the wait is over; an open one means the wait ran out."""

    operation: OperationView
    replayed: bool


Prepare = Callable[[Transaction], Awaitable[Sequence[Submission]]]


class Intake:
    """Accepts commands for one API process, and waits for what becomes of them."""

    def __init__(
        self, *, database: Database, broker: Broker | None, settings: Settings, tracer: Tracer | None = None
    ) -> None:
        self._claims = None
        if broker is not None:
            self._claims = Claims(broker, database.measures.acceptance, tracer=tracer, prefix=settings.name_prefix)
        self._acceptance = Acceptance(database=database, claims=self._claims, settings=settings, tracer=tracer)
        self._answers = Answers(database=database, broker=broker, tracer=tracer)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the flush, the claims and the answers; returns at once."""
        await self._answers.start()
        self._tasks = [asyncio.create_task(self._acceptance.run(), name="intake-flush")]
        if self._claims is not None:
            self._tasks.append(asyncio.create_task(self._claims.run(), name="intake-claims"))

    async def stop(self) -> None:
        """Stop; what is still waiting is answered as unknown or times out at its caller."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._answers.stop()

    def stop_soon(self) -> None:
        """The process ends: who still waits when the grace is over is told where to look instead."""
        asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._answers.give_up)

    async def submit(self, submission: Submission, *, wait: timedelta) -> Answer:
        """Accept the command and wait for its answer, at most `wait`.

        Raises:
            IdempotencyKeyReusedError: the key belongs to another request.
            TooManyOpenOperationsError: the tenant is over its cap.
            DatabaseUnavailableError: certainly not accepted.
            AcceptanceUnknownError: the commit's fate is unknown.
            RefusedByDatabaseError: the database refuses a value.
        """
        operation = self._new_operation(submission)
        # Registered before the insert: a worker may answer before the flush has returned.
        with self._answers.expected(operation.tenant_id, operation.id):
            accepted = await self._acceptance.add(operation)
            if isinstance(accepted, KeyHolder):
                return await self._replay(operation, accepted, wait)
            finished = await self._answers.wait(operation.tenant_id, operation.id, wait, request=accepted.request)
        if finished is None and wait:
            finished = await self._current(operation.tenant_id, operation.id)
        return Answer(operation=finished or accepted, replayed=False)

    async def submit_together(self, database: Database, prepare: Prepare, *, wait: timedelta) -> list[Answer]:
        """Accept commands of several tenants in one transaction, all or none, and wait for all of them.

        `prepare` reads what is to be submitted in that transaction, and writes there whatever belongs to it: `database`
        is one that may. Commands whose idempotency keys are taken by now raise IdempotencyKeyTakenError, and nothing is
        accepted.

        Raises:
            AcceptanceUnknownError: the commit's fate is unknown.
        """
        async with AsyncExitStack() as waiting:
            operations = await self._accept_together(database, prepare, waiting)
            if self._claims is not None:
                self._claims.add(operations)
            return await self._ends(operations, wait=wait)

    async def await_again(self, keys: Sequence[tuple[int, UUID]], *, wait: timedelta) -> list[Answer]:
        """Wait for operations that were accepted before."""
        async with AsyncExitStack() as waiting:
            for tenant_id, operation_id in keys:
                waiting.enter_context(self._answers.expected(tenant_id, operation_id))
            views = await asyncio.gather(*(self._answers.wait(*key, wait) for key in keys))
        current = [view or await self._current(*key) for key, view in zip(keys, views, strict=True)]
        return [Answer(operation=view, replayed=True) for view in current if view is not None]

    async def watch(self, tenant_id: int, operation_id: UUID, *, wait: timedelta) -> OperationView | None:
        """Wake the workers up for the tenant, and wait for the end of its operation; None where that does not come."""
        with self._answers.expected(tenant_id, operation_id):
            if self._claims is not None:
                self._claims.wake(tenant_id, operation_id)
            return await self._answers.wait(tenant_id, operation_id, wait)

    async def _accept_together(
        self, database: Database, prepare: Prepare, waiting: AsyncExitStack
    ) -> list[NewOperation]:
        operations: list[NewOperation] = []
        begun: Transaction | None = None
        try:
            async with database.transaction() as tx:
                begun = tx
                operations = [self._new_operation(submission) for submission in await prepare(tx)]
                for operation in operations:
                    waiting.enter_context(self._answers.expected(operation.tenant_id, operation.id))
                if len(await accept_operations(tx, operations)) < len(operations):
                    raise IdempotencyKeyTakenError  # noqa: TRY301 - it takes the transaction back
        except Exception as error:
            if begun is not None and begun.commit_sent and operations:
                raise AcceptanceUnknownError(operations[0].id) from error
            raise
        return operations

    async def _ends(self, operations: Sequence[NewOperation], *, wait: timedelta) -> list[Answer]:
        keys = [(operation.tenant_id, operation.id) for operation in operations]
        views = await asyncio.gather(*(self._answers.wait(*key, wait) for key in keys))
        current = [view or await self._current(*key) for key, view in zip(keys, views, strict=True)]
        return [Answer(operation=view, replayed=False) for view in current if view is not None]

    def _new_operation(self, submission: Submission) -> NewOperation:
        return NewOperation(
            tenant_id=submission.tenant_id,
            id=new_operation_id(),
            command=submission.command,
            presentation=submission.presentation,
            fingerprint=submission.fingerprint,
            idempotency_key=submission.idempotency_key,
            dry_run=submission.dry_run,
            reply_to=self._answers.reply_to,
            request_id=submission.request_id,
            traceparent=submission.traceparent,
        )

    async def _replay(self, operation: NewOperation, holder: KeyHolder, wait: timedelta) -> Answer:
        if holder.fingerprint != operation.fingerprint:
            raise IdempotencyKeyReusedError
        with self._answers.expected(operation.tenant_id, holder.id):
            finished = await self._answers.wait(operation.tenant_id, holder.id, wait)
        view = finished or await self._current(operation.tenant_id, holder.id)
        if view is None:  # removed by retention between the two statements: the key is free again
            raise DatabaseUnavailableError
        return Answer(operation=view, replayed=True)

    async def _current(self, tenant_id: int, operation_id: UUID) -> OperationView | None:
        try:
            return await self._answers.current(tenant_id, operation_id)
        except Exception as error:
            if is_transient(error):  # the row is safe, only its state cannot be read: answer as accepted
                return None
            raise
