"""Applies dates of licences that have come: what has expired gives its seats back, what has started is fulfilled.

One rule: what counts is what the licence is now; a date that was moved meanwhile finds nothing to do.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.continuations import Continuation, Continuing
from domain.entitlements import license_event
from domain.events import Event, Told
from domain.license_commands import CheckLicenses
from domain.license_dates import expire
from domain.outcomes import Reported, Result
from domain.planning import Decision, Order, Reached, in_order
from domain.seat_rows import Pool
from domain.seat_writes import SeatChanges
from domain.seats import SeatBook
from infra.postgres.continuation_people import Person
from infra.postgres.continuations import begin_continuation, work_left
from infra.postgres.database import Transaction
from infra.postgres.due import fulfilled_grants, holders_of_expired
from infra.postgres.seats import load_seats
from workers.chunk_sizes import ChunkSizes
from workers.continuations import reach
from workers.handlers.touching import write_wave

Earlier = Mapping[int, Sequence[Reached]]


class LicenseDates:
    """The handler of dates, which knows how much one pass may do; these commands run alone in theirs."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def check(self, tx: Transaction, orders: Sequence[Order[CheckLicenses]], at: datetime) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        holders, earlier = await self._holders(tx, order, at)
        book = await load_seats(
            tx,
            at=at,
            licenses=[(order.tenant_id, number) for number in order.command.license_ids],
            assignments=[(order.tenant_id, one.entitlement_id) for one in holders if one.entitlement_id is not None],
        )
        checked = [book.facts.pools[n] for n in order.command.license_ids if n in book.facts.pools]
        decision = _decided(order, book, checked, holders)
        changes = _given_on(book.changes(), checked, at)
        [decision] = await write_wave(tx, orders, [decision], changes, reached=earlier, at=at)
        return [await _goes_on(tx, order, await _started(tx, order, decision), checked, done=len(holders), at=at)]

    async def _holders(
        self, tx: Transaction, order: Order[CheckLicenses], at: datetime
    ) -> tuple[list[Person], Earlier]:
        """The first who lose their seats, after what was asked earlier has come to them."""
        rows = self._sizes.of(Continuing.EXPIRE)
        holders = await holders_of_expired(tx, order.tenant_id, order.command.license_ids, rows=rows)
        earlier = await reach(tx, [(order.tenant_id, one.user_id) for one in holders], at)
        if earlier:
            holders = await holders_of_expired(tx, order.tenant_id, order.command.license_ids, rows=rows)
        return holders, earlier


def _decided(
    order: Order[CheckLicenses], book: SeatBook, checked: Sequence[Pool], holders: Sequence[Person]
) -> Decision:
    book.begin(operation_id=order.operation_id, seq=order.seq)
    expire(book, (one.entitlement_id for one in holders))
    rows = book.drain()
    pools = sorted({pool.id: pool for pool in checked}.items())
    told = [license_event(pool.named, pool.counts, active=pool.active) for _, pool in pools]
    outcome = Reported("checked", {"licenses": [*(pool.named.document for pool in checked)]})
    return Decision(result=Result(outcomes=[outcome], titles={}), events=in_order([*told, *rows, *book.end()]))


def _given_on(changes: SeatChanges, checked: Sequence[Pool], at: datetime) -> SeatChanges:
    """Seats that are free although somebody waits are given on as well."""
    idle = {(pool.tenant_id, pool.id) for pool in checked if pool.queued and pool.has_free and pool.gives(at)}
    return dataclasses.replace(changes, unsettled=changes.unsettled | idle)


async def _started(tx: Transaction, order: Order[CheckLicenses], decision: Decision) -> Decision:
    """Tell of groups that are served from now on, but for those that were told of anyway."""
    if not order.command.started:
        return decision
    told: list[Told] = list(decision.events)
    subjects = {(one.type, one.subject) for one in told if isinstance(one, Event)}
    fulfilled = await fulfilled_grants(tx, order.tenant_id, order.command.started)
    told += [event for event in fulfilled if (event.type, event.subject) not in subjects]
    return dataclasses.replace(decision, events=told)


async def _goes_on(
    tx: Transaction,
    order: Order[CheckLicenses],
    decision: Decision,
    checked: Sequence[Pool],
    *,
    done: int,
    at: datetime,
) -> Decision:
    """What does not fit into this pass, or is still to be given by what was begun before, goes on in chunks."""
    for pool in checked:
        if pool.has_expired(at) and pool.used + pool.reserved > 0:
            await begin_continuation(tx, _expiry(order, pool))
    left = await work_left(tx, order.tenant_id, order.operation_id)
    return dataclasses.replace(decision, done=done, total=done + (left or 0))


def _expiry(order: Order[CheckLicenses], pool: Pool) -> Continuation:
    return Continuation(
        tenant_id=order.tenant_id,
        operation_id=order.operation_id,
        operation_seq=order.seq,
        kind=Continuing.EXPIRE,
        target=pool.named,
        license_id=pool.id,
        total=pool.used + pool.reserved,
    )
