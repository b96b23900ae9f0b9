"""A grant that begins to give, or whose sources begin to go: decided at once, done in chunks, the first one at once.

One rule: seats are reserved, and what is undone is taken over, before the first member is come to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.continuations import Continuation
from domain.events import Told
from domain.group_grants import Demand
from domain.planning import Reached
from domain.seats import SeatBook
from infra.postgres.continuation_people import Person, has_entitlements, read_needing
from infra.postgres.continuations import (
    begin_continuation,
    end_continuations,
    end_operations,
    read_running,
    supersede_operations,
)
from infra.postgres.database import Transaction
from workers.announcing import finished_event
from workers.continuations import finish, reach_by
from workers.steps import Upcoming, close_book, keeping, move_cursor, next_people, open_book, release, serve


@dataclass(slots=True, kw_only=True)
class Undertaking:
    """One continuation in its operation's own pass: its first people, the book of their seats, what was told so far."""

    of: Continuation
    people: Sequence[Person]
    more: bool
    book: SeatBook
    running: list[Continuation]
    taken_over: list[Continuation]
    reached: list[Reached] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many people its first chunk comes to."""
        return len(self.people)


async def prepare(tx: Transaction, of: Continuation, *, rows: int, at: datetime) -> Undertaking:
    """Look at the first people, having brought to them what was asked earlier; what `of` undoes holds nothing any more.

    Nothing of `of` itself is done, and nothing is undone before `take_over`.
    """
    running = await read_running(tx, [of.tenant_id])
    taken_over = [one for one in running if of.takes_over(one)]
    rest = [one for one in running if one not in taken_over]
    waits = any(of.waits_for(one) for one in rest)
    people, more = Upcoming([], more=True) if waits else await next_people(tx, of, rows)
    told = await reach_by(tx, rest, [(of.tenant_id, one.user_id) for one in people], at)
    if told:
        people, more = await next_people(tx, of, rows)
    book = await open_book(tx, of, people, at)
    for one in taken_over:
        release(book, one)
    return Undertaking(
        of=of,
        people=people,
        more=more,
        book=book,
        running=rest,
        taken_over=taken_over,
        reached=[
            Reached(operation_id=one.operation_id, events=events, traceparent=one.traceparent) for one, events in told
        ],
    )


async def demand_of(tx: Transaction, this: Undertaking, at: datetime) -> Demand:
    """How many seats the grant needs; sets the boundary behind which members wait, should there be too few."""
    of, pool = this.of, this.book.facts.pools[this.of.license_id or 0]
    available = pool.available(at)
    seats = available or 0
    if await _needs_all(tx, this) and (available is None or available >= of.total):
        return Demand(requested=of.total, available=available)
    found = await read_needing(tx, of, this.running, skipped=max(seats - 1, 0), most=1 if seats else 0)
    demand = Demand(requested=found.members, available=available)
    if demand.would_wait:
        of.boundary = found.user_ids[0] if seats else 0
    return demand


async def _needs_all(tx: Transaction, this: Undertaking) -> bool:
    """Nobody has anything of the licence, nor is about to: then nobody need be counted."""
    of = this.of
    if of.quota_boundary is not None or any(one.license_id == of.license_id for one in this.running):
        return False
    return not await has_entitlements(tx, of)


async def take_over(tx: Transaction, this: Undertaking, by: UUID) -> None:
    """End what this undoes; its operations say by whom, and end if that was all they had left."""
    if not this.taken_over:
        return
    tenant_id = this.of.tenant_id
    await end_continuations(tx, tenant_id, [one.id for one in this.taken_over])
    operation_ids = sorted({one.operation_id for one in this.taken_over})
    await supersede_operations(tx, tenant_id, operation_ids, by)
    ended = await end_operations(tx, tenant_id, operation_ids)
    this.reached += [
        Reached(operation_id=one.id, events=[finished_event(one.id, one.kind, one.status)], traceparent=one.traceparent)
        for one in ended
    ]


def reserve(this: Undertaking, demand: Demand) -> None:
    """Hold back the seats that the members are promised."""
    pool = this.book.facts.pools[this.of.license_id or 0]
    this.book.stir(pool)
    pool.reserved += demand.served
    this.of.reserved = demand.served


async def carry_out(tx: Transaction, this: Undertaking) -> list[Told]:
    """Come to the first people; what is left goes on in chunks. Returns what is told."""
    told = await serve(tx, this.book, this.of, this.people)
    move_cursor(this.of, this.people)
    if not this.more:
        release(this.book, this.of)
    all_told: list[Told] = []
    await close_book(tx, this.book, this.of, told, keeping(all_told))
    if this.more:
        this.of.done = this.done
        await begin_continuation(tx, this.of)
    else:
        await finish(tx, this.of)
    return all_told
