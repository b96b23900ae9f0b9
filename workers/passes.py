"""One pass: lock tenants, apply their open operations in accept order, record results and events, commit.

One rule: everything a pass does is in one transaction, and locking is its first statement.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.codec import UnreadableCommandError, decode
from domain.commands import Command
from domain.errors import JSON, ErrorCode
from domain.events import Event, EventType
from domain.outcomes import OperationStatus, document
from domain.planning import Decision, Order
from infra.cloudevents import NumberedEvent, encode
from infra.postgres.database import Transaction
from infra.postgres.passes import Announced, Finished, OpenOperation, TenantLog, lock_tenants, read_open, record
from workers.handlers import Handler
from workers.waves import DEATHS_ALONE, Budget, Selection, select, waves


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one operation ended, before its events have numbers."""

    status: OperationStatus
    done: int = 0
    response: Mapping[str, JSON] | None = None
    error: Mapping[str, JSON] | None = None
    events: Sequence[Event] = ()


@dataclass(slots=True, kw_only=True)
class Pass:
    """What a pass has locked and taken so far; after a failure it tells how far it came."""

    held: frozenset[int] = frozenset()
    selection: Selection = field(default_factory=lambda: Selection(taken={}, alone=frozenset()))

    @property
    def replies(self) -> dict[str, list[UUID]]:
        """Reply queue -> the operations whose callers wait there."""
        replies: dict[str, list[UUID]] = {}
        for operation in self.selection.operations:
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
    name_inflight: Callable[[Sequence[OpenOperation]], Awaitable[None]],
) -> None:
    """Run one pass over these tenants, at most `shares` operations of each; fills `this` as it goes."""
    logs = await lock_tenants(tx, shares)
    this.held = frozenset(logs)
    if not logs:
        return
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
    await name_inflight(this.selection.operations)
    at = next(iter(logs.values())).at
    ended: dict[UUID, Ended] = {}
    for wave in waves(this.selection.taken):
        ended |= await _apply(tx, wave, handlers, at)
    await record_ended(tx, this.selection.operations, ended, logs)


def _part(budget: Budget, *, among: int) -> Budget:
    """What each of so many tenants may bring, so that all together read about one budget."""
    return Budget(
        operations=max(1, budget.operations // among),
        items=max(1, budget.items // among),
        bytes=max(1, budget.bytes // among),
    )


async def record_ended(
    tx: Transaction, operations: Sequence[OpenOperation], ended: Mapping[UUID, Ended], logs: Mapping[int, TenantLog]
) -> None:
    """Record the ends of these operations and number their events, tenant by tenant in accept order."""
    announced = [row for o in operations for row in _announce(o, ended[o.id], logs[o.tenant_id])]
    finished = [_finished(operation, ended[operation.id]) for operation in operations]
    touched = {row.tenant_id for row in announced}
    await record(tx, finished=finished, announced=announced, logs=[logs[t] for t in sorted(touched)])


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
    return Ended(
        status=decision.result.status,
        done=len(decision.result.outcomes),
        response=document(decision.result),
        # A dry run changes nothing, so there is nothing to announce.
        events=() if dry_run else decision.events,
    )


def failure(code: ErrorCode, message: str) -> Ended:
    """The end of an operation that could not be applied: a dead letter."""
    return Ended(status=OperationStatus.FAILED, error={"code": code.value, "message": message})


def _announce(operation: OpenOperation, ended: Ended, log: TenantLog) -> list[Announced]:
    if operation.dry_run:
        return []
    events = [*ended.events, _finished_event(operation, ended.status)]
    numbered = [_number(event, operation, log) for event in events]
    messages = encode(numbered, tenant_key=log.key, at=log.at)
    return [Announced(tenant_id=log.tenant_id, operation_id=operation.id, message=message) for message in messages]


def _number(event: Event, operation: OpenOperation, log: TenantLog) -> NumberedEvent:
    """The next place in the tenant's log; only its lock's holder may come here."""
    log.event_seq += 1
    previous = log.type_seq.get(event.type, 0)
    log.type_seq[event.type] = log.event_seq
    return NumberedEvent(
        event=event,
        sequence=log.event_seq,
        previous=previous,
        operation_id=operation.id,
        traceparent=operation.traceparent,
    )


def _finished_event(operation: OpenOperation, status: OperationStatus) -> Event:
    return Event(
        type=EventType.OPERATION_FINISHED,
        subject=f"operations/{operation.id}",
        data={"operation": {"id": str(operation.id), "kind": operation.kind, "status": status.value}},
    )


def _finished(operation: OpenOperation, ended: Ended) -> Finished:
    return Finished(
        tenant_id=operation.tenant_id,
        id=operation.id,
        status=ended.status,
        done=ended.done,
        response=ended.response,
        error=ended.error,
    )
