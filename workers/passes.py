"""One pass: lock tenants, apply their open operations in accept order, record results and events, commit.

One rule: everything a pass does is in one transaction, and locking is its first statement.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from uuid import UUID

from domain.codec import UnreadableCommandError, decode
from domain.commands import Command
from domain.errors import ErrorCode
from domain.outcomes import OperationStatus, document
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from infra.postgres.passes import (
    OpenOperation,
    TenantLog,
    lock_tenants,
    read_cancelled,
    read_open,
)
from workers.dead import DEATHS_ALONE, LeftBehindError, Tried, must_wait
from workers.endings import Ended, failure, record_ended
from workers.handlers import Handler
from workers.inflight import PassInflight
from workers.waves import Budget, Selection, select, waves


@dataclass(slots=True, kw_only=True)
class Pass:
    """What a pass has locked and taken so far; after a failure it tells how far it came."""

    held: frozenset[int] = frozenset()
    cancelled: Sequence[OpenOperation] = ()
    selection: Selection = field(default_factory=lambda: Selection(taken={}))
    # Whose next operation was tried before and has to wait: the poll comes back to them.
    waiting: frozenset[int] = frozenset()
    # Of those it has taken something from: who has work that goes on in chunks now.
    running: frozenset[int] = frozenset()
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
    inflight: PassInflight,
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
    if not found.queued:
        return
    queues = {tenant_id: found.queued[tenant_id] for tenant_id in held if tenant_id in found.queued}
    this.selection = select(queues, budget)
    if not this.selection.taken:
        return
    head = this.selection.operations[0]  # who was tried before is alone
    if await must_wait(tx, inflight, Tried(head.tenant_id, head.id, head.attempts, head.deaths_alone)):
        this.selection, this.waiting = Selection(taken={}), frozenset(queues)
        return
    if await inflight.name(this.selection.operations) and heeds_the_dead:
        raise LeftBehindError
    at = this.at = next(iter(logs.values())).at
    numbered = sum(log.event_seq for log in logs.values())
    ended: dict[UUID, Ended] = {}
    for wave in waves(this.selection.taken):
        ended |= await _apply(tx, wave, handlers, at)
    await record_ended(tx, this.selection.operations, ended, logs, worker_id=inflight.end_pass())
    this.statuses.update(end.status for end in ended.values())
    running = {o.tenant_id for o in this.selection.operations if ended[o.id].status is OperationStatus.RUNNING}
    this.running = found.running | running
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
