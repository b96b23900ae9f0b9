"""The insert that commands share: whatever arrived while the last one ran goes into the next; no timers.

One rule: a row that the database refuses is tried again alone; its neighbours never suffer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from uuid import UUID

import structlog

from api.claims import Claims
from api.spans import accepted
from infra.failpoints import Failpoint, reached
from infra.postgres.database import Database, Transaction
from infra.postgres.faults import is_refused_row, is_transient
from infra.postgres.operations import (
    KeyHolder,
    NewOperation,
    OperationView,
    accept_operations,
    accepted_by_key,
    open_counts,
)
from infra.settings import Settings
from infra.traces import trace
from infra.tracing.work import Tracer, told

log = structlog.get_logger(__name__)

# One insert takes at most this many commands; the next flush takes the rest. Bounds a statement, not a rate.
_FLUSH_LIMIT = 200
# A flush that takes longer is cut off, so that a server that hangs is answered with 503 and not with silence.
_FLUSH_SECONDS = 6.0


class TooManyOpenOperationsError(Exception):
    """The tenant has as many open operations as it may have; nothing was accepted."""


class DatabaseUnavailableError(Exception):
    """The database cannot be reached; nothing was accepted."""


class AcceptanceUnknownError(Exception):
    """The commit's fate is unknown: the operation exists or does not; retry with the same idempotency key."""

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(str(operation_id))
        self.operation_id = operation_id


class RefusedByDatabaseError(Exception):
    """The database refuses a value of this command, alone; its neighbours were accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    operation: NewOperation
    since: float = field(default_factory=perf_counter)
    accepted: asyncio.Future[OperationView | KeyHolder] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def fail(self, error: Exception) -> None:
        if not self.accepted.done():
            self.accepted.set_exception(error)


class Acceptance:
    """The flush of one API process. `claims` are sent for what was accepted; None where there is no broker."""

    def __init__(
        self, *, database: Database, claims: Claims | None, settings: Settings, tracer: Tracer | None = None
    ) -> None:
        self._database = database
        self._measures = database.measures.acceptance
        self._claims = claims
        self._tracer = tracer
        self._open_limit = settings.open_operations_limit
        self._reached = reached(settings.failpoint)
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    def add(self, operation: NewOperation) -> "asyncio.Future[OperationView | KeyHolder]":
        """Have the command accepted with the next flush.

        The future is set to the operation, or to who holds its idempotency key, or to one of the errors above.
        """
        waiting = _Waiting(operation=operation)
        self._waiting.append(waiting)
        self._arrived.set()
        return waiting.accepted

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:_FLUSH_LIMIT], self._waiting[_FLUSH_LIMIT:]
            if not self._waiting:
                self._arrived.clear()
            try:
                if self._tracer is None:
                    await self._flush(batch)
                else:
                    with told(self._tracer, "flush", partial(accepted, [waiting.operation for waiting in batch])):
                        await self._flush(batch)
            except Exception as error:  # noqa: BLE001 - every write of this process goes through here: it must go on
                log.error("a flush has failed", count=len(batch), error=trace(error))  # noqa: TRY400 - no values
                for waiting in batch:
                    waiting.fail(error)

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        sent = _CommitWatch()
        try:
            async with asyncio.timeout(_FLUSH_SECONDS), self._database.transaction() as tx:
                sent.tx = tx
                results = await self._insert(tx, batch)
                self._reached(Failpoint.ACCEPT_BEFORE_COMMIT)
        except Exception as error:  # noqa: BLE001 - every waiter must learn of it, whatever it is
            await self._flush_failed(batch, error, unknown=sent.happened)
            return
        self._reached(Failpoint.ACCEPT_AFTER_COMMIT)
        for waiting in batch:
            outcome = results[waiting.operation.id]
            if isinstance(outcome, Exception):
                waiting.fail(outcome)
            elif not waiting.accepted.done():
                waiting.accepted.set_result(outcome)
        taken = [waiting for waiting in batch if isinstance(results[waiting.operation.id], OperationView)]
        self._measure(taken)
        if self._claims is not None:
            self._claims.add([waiting.operation for waiting in taken])

    def _measure(self, accepted: Sequence[_Waiting]) -> None:
        if accepted:
            now = perf_counter()
            self._measures.accepted.add(len(accepted))
            self._measures.batch.observe(len(accepted))
            for waiting in accepted:
                self._measures.seconds.observe(now - waiting.since)

    async def _insert(
        self, tx: Transaction, batch: Sequence[_Waiting]
    ) -> Mapping[UUID, OperationView | KeyHolder | Exception]:
        operations = [waiting.operation for waiting in batch]
        results: dict[UUID, OperationView | KeyHolder | Exception] = {}
        if self._open_limit:
            tenants = sorted({operation.tenant_id for operation in operations})
            counts = await open_counts(tx, tenants, counted=self._open_limit)
            room = {tenant_id: self._open_limit - open_now for tenant_id, open_now in counts.items()}
            operations = [operation for operation in operations if _takes_room(room, operation, results)]
        results |= await accept_operations(tx, operations)
        # A replay is answered whatever room there is: it accepts nothing.
        losers = [
            waiting.operation
            for waiting in batch
            if waiting.operation.idempotency_key is not None
            and not isinstance(results.get(waiting.operation.id), OperationView)
        ]
        if losers:
            holders = await accepted_by_key(tx, {(o.tenant_id, str(o.idempotency_key)) for o in losers})
            held = {o.id: holders.get((o.tenant_id, str(o.idempotency_key))) for o in losers}
            results |= {operation_id: holder for operation_id, holder in held.items() if holder is not None}
            # A holder that retention removed between the two statements: the key is free again.
            results |= {o.id: DatabaseUnavailableError() for o in losers if o.id not in results}
        return results

    async def _flush_failed(self, batch: Sequence[_Waiting], error: Exception, *, unknown: bool) -> None:
        if unknown:
            for waiting in batch:
                waiting.fail(AcceptanceUnknownError(waiting.operation.id))
        elif is_refused_row(error) and len(batch) > 1:
            for waiting in batch:  # alone, so that neighbours never suffer
                await self._flush([waiting])
        elif is_refused_row(error):
            batch[0].fail(RefusedByDatabaseError(trace(error)))
        else:
            log.warning("commands were not accepted", count=len(batch), error=trace(error))
            for waiting in batch:
                waiting.fail(DatabaseUnavailableError() if is_transient(error) else error)


@dataclass(slots=True)
class _CommitWatch:
    tx: Transaction | None = None

    @property
    def happened(self) -> bool:
        return self.tx is not None and self.tx.commit_sent


def _takes_room(
    room: dict[int, int], operation: NewOperation, results: dict[UUID, OperationView | KeyHolder | Exception]
) -> bool:
    room[operation.tenant_id] -= 1
    if room[operation.tenant_id] < 0:
        results[operation.id] = TooManyOpenOperationsError()
        return False
    return True
