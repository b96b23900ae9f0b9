"""One pass: lock tenants, apply their open operations in accept order, record results and events, commit.

One rule: everything a pass does is in one transaction, and locking is its first statement.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Protocol
from uuid import UUID

from domain.codec import UnreadableCommandError, decode
from domain.commands import Command
from domain.dead_letters import fingerprint_of
from domain.errors import JSON, ErrorCode
from domain.events import Told
from domain.outcomes import OperationStatus, document
from domain.planning import Decision, Order, Reached
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import Failure, count_dead_letters
from infra.postgres.passes import (
    Announced,
    Finished,
    Held,
    OpenOperation,
    TenantLog,
    lock_tenants,
    read_cancelled,
    read_open,
    record,
)
from workers.announcing import announce, finished_event
from workers.dead import LeftBehindError
from workers.handlers import Handler
from workers.waves import DEATHS_ALONE, Budget, Selection, select, waves


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one operation ended, or that it goes on in chunks, before its events have numbers."""

    status: OperationStatus
    done: int = 0
    total: int | None = None
    response: Mapping[str, JSON] | None = None
    error: Mapping[str, JSON] | None = None
    reached: Sequence[Reached] = ()
    events: Sequence[Told] = ()


class Naming(Protocol):
    """Where a worker names the operations that it is about to run, for whoever finds it dead."""

    @property
    def worker_id(self) -> int:
        """This worker's row."""

    async def name(self, operations: Sequence[OpenOperation]) -> bool:
        """Name them in a transaction of its own; True where a dead worker seems to have named one of their tenants."""


@dataclass(slots=True, kw_only=True)
class Pass:
    """What a pass has locked and taken so far; after a failure it tells how far it came."""

    held: frozenset[int] = frozenset()
    cancelled: Sequence[OpenOperation] = ()
    selection: Selection = field(default_factory=lambda: Selection(taken={}))
    # The instant of its transaction by the database's clock, and by this process's at about the same time.
    at: datetime | None = None
    began: float = field(default_factory=perf_counter)
    statuses: Counter[OperationStatus] = field(default_factory=Counter)
    events: int = 0

    @property
    def replies(self) -> dict[str, list[UUID]]:
        """Reply queue -> the operations whose callers wait there."""
        replies: dict[str, list[UUID]] = {}
        for operation in (*self.cancelled, *self.selection.operations):
            if operation.reply_to is not None:
                replies.setdefault(operation.reply_to, []).append(operation.id)
        return replies


async def run_pass(
    tx: Transaction,
    this: Pass,
    shares: Mapping[int, int],
    *,
    budget: Budget,
    handlers: Mapping[str, Handler],
    inflight: Naming,
    heeds_the_dead: bool = True,
) -> None:
    """Run one pass over these tenants, at most `shares` operations of each; fills `this` as it goes.

    Raises:
        LeftBehindError: another worker has left one of the tenants in the middle of a pass, and this one heeds that.
    """
    logs = await lock_tenants(tx, shares)
    this.held = frozenset(logs)
    if not logs:
        return
    this.cancelled = await cancel_marked(tx, logs)
    # In the order of `shares`, which is that of becoming ready: whoever waited longest takes first.
    held = {tenant_id: share for tenant_id, share in shares.items() if tenant_id in logs}
    part = _part(budget, among=len(held))
    shares_now = {tenant_id: min(share, part.operations) for tenant_id, share in held.items()}
    found = await read_open(tx, shares_now, most_items=part.items, most_bytes=part.bytes)
    if not found:
        return
    this.selection = select({tenant_id: found[tenant_id] for tenant_id in held if tenant_id in found}, budget)
    if not this.selection.taken:
        return
    if await inflight.name(this.selection.operations) and heeds_the_dead:
        raise LeftBehindError
    at = this.at = next(iter(logs.values())).at
    numbered = sum(log.event_seq for log in logs.values())
    ended: dict[UUID, Ended] = {}
    for wave in waves(this.selection.taken):
        ended |= await _apply(tx, wave, handlers, at)
    await record_ended(tx, this.selection.operations, ended, logs, worker_id=inflight.worker_id)
    this.statuses.update(end.status for end in ended.values())
    this.events = sum(log.event_seq for log in logs.values()) - numbered


async def cancel_marked(tx: Transaction, logs: Mapping[int, TenantLog]) -> list[OpenOperation]:
    """Take back what operators want taken back, before anything else is read: it is not applied any more."""
    asked = [tenant_id for tenant_id, log in logs.items() if log.has_cancellations]
    if not asked:
        return []
    marked = await read_cancelled(tx, asked)
    cancelled = Ended(status=OperationStatus.CANCELLED)
    await record_ended(tx, marked, {operation.id: cancelled for operation in marked}, logs)
    return marked


def _part(budget: Budget, *, among: int) -> Budget:
    """What each of so many tenants may bring, so that all together read about one budget."""
    return Budget(
        operations=max(1, budget.operations // among),
        items=max(1, budget.items // among),
        bytes=max(1, budget.bytes // among),
    )


async def record_ended(
    tx: Transaction,
    operations: Sequence[OpenOperation],
    ended: Mapping[UUID, Ended],
    logs: Mapping[int, TenantLog],
    *,
    worker_id: int | None = None,
) -> None:
    """Record the ends of these operations and number their events, tenant by tenant in accept order.

    With `worker_id` that worker has named them, and names them no more; this is the last that the transaction writes.
    """
    announced: list[Announced] = []
    finished: list[Finished] = []
    for operation in operations:
        end, tenant_log = ended[operation.id], logs[operation.tenant_id]
        announced += _announce_earlier(operation, end, tenant_log)
        own = list(_announce(operation, end, tenant_log))
        announced += own
        finished.append(_finished(operation, end, own, tenant_log))
    failures = [_failed(o, ended[o.id].error or {}) for o in operations if ended[o.id].error]
    if failures:
        await count_dead_letters(tx, failures)
    touched = {row.tenant_id for row in announced}
    held = None if worker_id is None else Held(worker_id, [operation.id for operation in operations])
    await record(tx, finished=finished, announced=announced, logs=[logs[t] for t in sorted(touched)], held=held)


async def _apply(
    tx: Transaction, wave: Sequence[OpenOperation], handlers: Mapping[str, Handler], at: datetime
) -> dict[UUID, Ended]:
    ended: dict[UUID, Ended] = {}
    orders: list[Order[Command]] = []
    for operation in wave:
        if operation.deaths_alone >= DEATHS_ALONE:
            ended[operation.id] = failure(ErrorCode.OPERATION_KILLED_WORKER, "workers died while they applied it alone")
            continue
        try:
            command = decode(operation.kind, operation.request)
        except UnreadableCommandError as error:
            ended[operation.id] = failure(ErrorCode.OPERATION_UNREADABLE, str(error))
            continue
        orders.append(
            Order(tenant_id=operation.tenant_id, operation_id=operation.id, seq=operation.seq, command=command)
        )
    if orders:
        decisions = await _decide(tx, orders, handlers[wave[0].kind], at, dry_run=wave[0].dry_run)
        for order, decision in zip(orders, decisions, strict=True):
            ended[order.operation_id] = _success(decision, dry_run=wave[0].dry_run)
    return ended


async def _decide(
    tx: Transaction, orders: Sequence[Order[Command]], handler: Handler, at: datetime, *, dry_run: bool
) -> list[Decision]:
    if not dry_run:
        return await handler(tx, orders, at)
    async with tx.undone():
        return await handler(tx, orders, at)


def _success(decision: Decision, *, dry_run: bool) -> Ended:
    if dry_run:
        # A dry run changes nothing, so there is nothing to announce and nothing to go on with.
        result, items = decision.result, len(decision.result.outcomes)
        return Ended(status=result.status, done=items, total=items, response=document(result))
    return Ended(
        status=OperationStatus.RUNNING if decision.done < decision.total else decision.result.status,
        done=decision.done if decision.total else len(decision.result.outcomes),
        total=decision.total or len(decision.result.outcomes),
        response=document(decision.result),
        reached=decision.reached,
        events=decision.events,
    )


def failure(code: ErrorCode, message: str) -> Ended:
    """The end of an operation that could not be applied: a dead letter."""
    return Ended(status=OperationStatus.FAILED, error={"code": code.value, "message": message})


def _announce_earlier(operation: OpenOperation, ended: Ended, log: TenantLog) -> Iterator[Announced]:
    """What is told of operations that still run and that this one has reached."""
    if not operation.dry_run:
        for earlier in ended.reached:
            yield from announce(log, earlier.operation_id, earlier.traceparent, earlier.events)


def _announce(operation: OpenOperation, ended: Ended, log: TenantLog) -> Iterator[Announced]:
    if operation.dry_run:
        return
    told = list(ended.events)
    if not ended.status.is_open:
        told.append(finished_event(operation.id, operation.kind, ended.status))
    yield from announce(log, operation.id, operation.traceparent, told)


def _finished(operation: OpenOperation, ended: Ended, own: Sequence[Announced], log: TenantLog) -> Finished:
    # One that goes on may have told nothing yet: what it will tell comes behind what has been numbered.
    first = own[0].message.first_sequence if own else None
    return Finished(
        tenant_id=operation.tenant_id,
        id=operation.id,
        status=ended.status,
        done=ended.done,
        total=ended.total,
        response=ended.response,
        error=ended.error,
        error_group=None if ended.error is None else _failed(operation, ended.error).fingerprint,
        first_sequence=log.event_seq + 1 if first is None and ended.status.is_open else first,
        last_sequence=own[-1].message.last_sequence if own and not ended.status.is_open else None,
    )


def _failed(operation: OpenOperation, error: Mapping[str, JSON]) -> Failure:
    code, message = str(error["code"]), str(error["message"])
    return Failure(
        tenant_id=operation.tenant_id,
        fingerprint=fingerprint_of(kind=operation.kind, code=code, message=message),
        kind=operation.kind,
        code=code,
        message=message,
    )
