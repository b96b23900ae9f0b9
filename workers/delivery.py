"""From ready tenants to committed passes, and what happens when one fails. The only file that commits and acks.

One rule: whoever held a tenant owes a re-read after its commit, or another pass that will, until a pass finds nothing
open; a tenant found locked is dropped, since its holder owes the same. Who has to wait (`must_wait`) is the poll's.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import structlog

from domain.errors import ErrorCode
from domain.outcomes import OperationStatus
from infra.failpoints import Failpoint, Reached, unarmed
from infra.postgres.database import Database
from infra.postgres.faults import is_statement_timeout, is_transient
from infra.postgres.passes import OpenOperation, count_attempt, lock_tenants, read_open, still_open
from infra.traces import trace
from workers.dead import LeftBehindError, count_the_dead
from workers.endings import failure, record_ended
from workers.handlers import Handler
from workers.inflight import PassInflight
from workers.measuring import pass_committed
from workers.passes import Pass, cancel_marked, run_pass
from workers.ready import Batch, ReadySet
from workers.waves import Budget

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""An operation whose statements time out this often, alone, is failed."""

_FIRST_PAUSE = 0.1
_LAST_PAUSE = 2.0


Announce = Callable[[Mapping[str, Sequence[UUID]]], Awaitable[None]]


class Delivery:
    """Runs one pass after the other.

    `committed` is called with the replies of every commit, `continues` with each tenant of a pass that has work which
    goes on in chunks.
    """

    def __init__(
        self,
        *,
        database: Database,
        ready: ReadySet,
        inflight: PassInflight,
        budget: Budget,
        handlers: Mapping[str, Handler],
        committed: Announce,
        continues: Callable[[int], None] = lambda _tenant_id: None,
        reached: Reached = unarmed,
        alone: asyncio.Lock | None = None,
    ) -> None:
        self._database = database
        self._ready = ready
        self._inflight = inflight
        self._budget = budget
        self._handlers = handlers
        self._committed = committed
        self._continues = continues
        self._reached = reached
        # Held while a pass runs, so that a chunk which is suspected of killing workers can have this one to itself.
        self._alone = alone or asyncio.Lock()
        self._pause = _FIRST_PAUSE
        self.passes = 0

    async def turn(self, batch: Batch) -> None:
        """One pass over the batch: acks its claims at the end, whatever the outcome."""
        this = Pass()
        try:
            try:
                await self._pass(this, batch)
            except LeftBehindError:
                await self._inflight.clear()
                await count_the_dead(self._database, self._inflight.worker_id)
                this = Pass()
                await self._pass(this, batch, heeds_the_dead=False)
        except Exception as error:  # noqa: BLE001 - the pipe's last resort: every failure has its place below
            await self._failed_safely(this, batch, error)
        finally:
            self._reached(Failpoint.PASS_BEFORE_ACK)
            for ack in batch.acks:
                ack()

    async def _apply(self, this: Pass, batch: Batch, *, heeds_the_dead: bool) -> None:
        async with self._alone, self._database.transaction() as tx:
            await run_pass(
                tx,
                this,
                batch.shares,
                budget=self._budget,
                handlers=self._handlers,
                inflight=self._inflight,
                heeds_the_dead=heeds_the_dead,
            )
            if this.selection.taken:
                self._reached(Failpoint.PASS_BEFORE_COMMIT)

    async def _pass(self, this: Pass, batch: Batch, *, heeds_the_dead: bool = True) -> None:
        await self._apply(this, batch, heeds_the_dead=heeds_the_dead)
        if this.selection.taken:
            self._reached(Failpoint.PASS_AFTER_COMMIT)
        self.passes += 1
        pass_committed(self._database.measures, this, batch)
        self._pause = _FIRST_PAUSE
        self._ready.relieve(this.selection.taken)
        for tenant_id in this.selection.suspected:
            self._ready.suspect(tenant_id, 1)
        for tenant_id in this.selection.unbounded:
            self._ready.set_apart(tenant_id)
        if this.selection.taken or this.cancelled:
            await self._committed(this.replies)
            _tell(this)
        await self._look_again(this, batch)

    async def _look_again(self, this: Pass, batch: Batch) -> None:
        """The re-read; it is the next pass's where that is due anyway, and this one knows what goes on in chunks."""
        taken = this.selection.taken
        due = {tenant_id for tenant_id in taken if tenant_id in self._ready}
        for tenant_id in due & this.running:
            self._continues(tenant_id)
        owed = this.held - due - this.waiting
        # Who had nothing taken comes first: a tenant with more left goes to the back.
        await self._reread(sorted((t for t in batch.shares if t in owed), key=taken.__contains__))

    async def _reread(self, held: Sequence[int]) -> None:
        if not held:
            return
        try:
            owed = await still_open(self._database, held)
        except Exception:
            # What cannot be asked is assumed: the next pass over these tenants asks again.
            for tenant_id in held:
                self._ready.add(tenant_id)
            raise
        for tenant_id in held:
            if tenant_id in owed.running:
                self._continues(tenant_id)
            if tenant_id in owed.queued:
                self._ready.add(tenant_id)

    async def _failed_safely(self, this: Pass, batch: Batch, error: Exception) -> None:
        try:
            await self._inflight.clear()
            await self._failed(this, batch, error)
        except Exception as second:  # noqa: BLE001 - the failure could not be recorded either: the rows stay open
            await self._back_off(batch, second)

    async def _failed(self, this: Pass, batch: Batch, error: Exception) -> None:
        taken = this.selection.taken
        if is_transient(error) and not (is_statement_timeout(error) and taken):
            await self._back_off(batch, error)
            return
        if not taken:  # nothing was read yet, so nothing can be blamed; each comes alone, to hold up only itself
            for tenant_id, share in batch.shares.items():
                self._ready.suspect(tenant_id, share)
            await self._back_off(batch, error)
            return
        self._count_pass("failed")
        log.warning("a pass failed", tenants=len(taken), operations=len(this.selection.operations), error=trace(error))
        for tenant_id, queue in taken.items():
            self._ready.suspect(tenant_id, len(queue) // 2)
        left_to_others = None
        if len(this.selection.operations) == 1 and not await self._fail_alone(this.selection.operations[0], error):
            left_to_others = this.selection.operations[0].tenant_id
        for tenant_id in batch.shares:
            if tenant_id != left_to_others:
                self._ready.add(tenant_id)

    async def _back_off(self, batch: Batch, error: Exception) -> None:
        """The server is the reason: nothing is counted against anyone, the same tenants come again after a pause."""
        for tenant_id in batch.shares:
            self._ready.add(tenant_id)
        pause, self._pause = self._pause, min(self._pause * 2, _LAST_PAUSE)
        self._count_pass("repeated")
        log.warning("a pass will be repeated", tenants=len(batch.shares), pause=pause, error=trace(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def _count_pass(self, outcome: str) -> None:
        self._database.measures.applying.passes.add(1, outcome)

    async def _fail_alone(self, operation: OpenOperation, error: Exception) -> bool:
        """An operation that failed with nobody beside it: its own fault. Fails it, or counts a timeout.

        False where another worker holds the tenant: it decides, and owes the re-read. Were the tenant tried again here,
        two workers in step would keep each other from failing the operation for good.
        """
        if is_statement_timeout(error) and operation.failures + 1 < ATTEMPTS:
            async with self._database.transaction() as tx:
                await count_attempt(tx, operation.tenant_id, operation.id)
            return True
        code = ErrorCode.OPERATION_TIMED_OUT if is_statement_timeout(error) else ErrorCode.OPERATION_RAISED
        async with self._database.transaction() as tx:
            logs = await lock_tenants(tx, [operation.tenant_id])
            if not logs:
                return False
            # What is marked stands in the way no longer: the pass, which ended it too, was taken back.
            over = await cancel_marked(tx, logs)
            found = await read_open(tx, dict.fromkeys(logs, 1), most_items=1, most_bytes=1)
            head = found.queued.get(operation.tenant_id, [])
            is_undecided = bool(head) and head[0].id == operation.id
            if is_undecided:
                ended = {operation.id: failure(code, trace(error))}
                await record_ended(tx, [operation], ended, logs, worker_id=self._inflight.worker_id)
                over.append(operation)
        if is_undecided:
            self._database.measures.applying.applied.add(1, OperationStatus.FAILED.value)
            log.error("an operation failed", code=code.value, **_ids(operation))
        replies = Pass(cancelled=over).replies
        if replies:
            await self._committed(replies)
        return True


def _tell(this: Pass) -> None:
    """What was applied, a line each, for whoever follows one request through the log at level debug."""
    if log.is_enabled_for(logging.DEBUG):
        for operation in this.selection.operations:
            log.debug("an operation was applied", **_ids(operation))


def _ids(operation: OpenOperation) -> dict[str, str | int | None]:
    return {
        "operation_id": str(operation.id),
        "request_id": operation.request_id,
        "tenant_id": operation.tenant_id,
        "kind": operation.kind,
    }
