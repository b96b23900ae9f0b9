"""Acceptance: a command becomes a committed row, a claim goes out, and the caller's answer is awaited.

One rule: the commit of the row is the acceptance; whatever the broker does afterwards cannot lose it.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from api.acceptance import Acceptance, DatabaseUnavailableError
from api.answers import Answers
from api.claims import Claims
from domain.commands import Command
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.operations import (
    KeyHolder,
    NewOperation,
    OperationView,
    Presentation,
    new_operation_id,
)
from infra.rabbitmq.broker import Broker
from infra.settings import Settings
from infra.tracing.work import Tracer

# A stopping server cuts connections after 8 s; a caller that has its 202 by then need not guess.
_GRACE_SECONDS = 5.0


class IdempotencyKeyReusedError(Exception):
    """The idempotency key belongs to another request."""


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
            finished = await self._answers.wait(operation.tenant_id, operation.id, wait)
        if finished is None and wait:
            finished = await self._current(operation.tenant_id, operation.id)
        return Answer(operation=finished or accepted, replayed=False)

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
