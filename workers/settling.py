"""Seats that came free and could not be given on at once: more wait than were read, or a fan-out has promised them.

One rule: the next seat goes to whoever asked first, be it somebody who waits or a member whom a fan-out that began
without enough seats has yet to reach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.continuations import Continuation, Continuing
from domain.entitlements import Named, State
from domain.events import Told
from domain.seat_rows import Pool, WaitingPlace
from domain.seat_writes import SeatChanges
from domain.seats import SeatBook
from infra.postgres.continuation_people import read_needing
from infra.postgres.continuations import begin_continuation, move_continuations, read_running
from infra.postgres.database import Transaction
from infra.postgres.seat_writes import write_seats
from infra.postgres.seats import load_seats
from workers.quotas import hold, let_in, places_freed

MOST = 1_000
"""Seats that are given on within the step that freed them; the rest goes on in chunks."""


class Cause(NamedTuple):
    """The operation that freed the seats."""

    operation_id: UUID
    seq: int


@dataclass(slots=True)
class Settled:
    """What is told of seats given on, how many were, and how many people are left to be served in chunks."""

    told: list[Told] = field(default_factory=list)
    served: int = 0
    left: int = 0


async def settle(
    tx: Transaction, changes: SeatChanges, causes: Mapping[int, Cause], at: datetime
) -> dict[int, Settled]:
    """Give on what a wave has freed, by tenant; `causes` are the tenants' last operations in it."""
    settled: dict[int, Settled] = {}
    for tenant_id in {tenant_id for tenant_id, _ in changes.unsettled | changes.unsettled_grants}:
        settled[tenant_id] = await _settle_tenant(tx, tenant_id, changes, causes[tenant_id], at)
    return settled


async def settle_book(tx: Transaction, changes: SeatChanges, of: Continuation, at: datetime) -> list[Told]:
    """Give on what a step of `of` has freed."""
    if not changes.unsettled and not changes.unsettled_grants:
        return []
    cause = Cause(of.operation_id, of.operation_seq)
    return (await _settle_tenant(tx, of.tenant_id, changes, cause, at, live=of)).told


async def _settle_tenant(
    tx: Transaction,
    tenant_id: int,
    changes: SeatChanges,
    cause: Cause,
    at: datetime,
    *,
    live: Continuation | None = None,
) -> Settled:
    """Pool by pool: what is too much for now goes on as a continuation of the cause.

    `live` is a continuation whose row is not up to date.
    """
    running = await read_running(tx, [tenant_id])
    if live is not None:
        running = sorted([*(one for one in running if one.id != live.id), live], key=_age)
    settled = Settled()
    pools = {number for owner, number in changes.unsettled if owner == tenant_id}
    for one, freed in places_freed(changes, running):
        settled.told += await let_in(tx, one, freed, at)
        pools.add(one.license_id or 0)
    for license_id in sorted(pools):
        given = await give_on(tx, tenant_id, license_id, cause, at, running=running, most=MOST)
        settled.told += given.told
        if given.left and not any(_promotes(one, license_id) for one in running):
            await begin_continuation(tx, _promotion(tenant_id, license_id, cause, given.left))
            settled.left += given.left
    return settled


async def give_on(
    tx: Transaction,
    tenant_id: int,
    license_id: int,
    cause: Cause,
    at: datetime,
    *,
    running: Sequence[Continuation],
    most: int,
) -> Settled:
    """Give the free seats of a pool, at most so many, to those who come first."""
    book = await load_seats(tx, at=at, licenses=[(tenant_id, license_id)], capacities={license_id: None}, most=most)
    pool = book.facts.pools.get(license_id)
    if pool is None or not pool.gives(at):
        return Settled()
    book.begin(operation_id=cause.operation_id, seq=cause.seq)
    seats = most if pool.capacity is None else min(most, pool.capacity - pool.used - pool.reserved)
    bounded = [one for one in running if one.license_id == license_id and one.boundary is not None]
    admitting = next((one for one in bounded if one.kind is Continuing.ADMIT), None)
    if admitting is not None and pool.capacity is not None:
        hold(book, pool, admitting)
        served = 0
    else:
        bounded = [one for one in bounded if one.kind is not Continuing.ADMIT]
        promised = [(one, await _next_needing(tx, one, running, seats)) for one in bounded]
        served = _serve(book, pool, promised, seats)
    told: list[Told] = [*book.drain(), *book.end()]
    await write_seats(tx, book.changes())
    await move_continuations(tx, [(one, 0) for one in bounded if one.id])
    return Settled(told, served, left=0 if admitting else _left(pool, bounded))


async def _next_needing(tx: Transaction, of: Continuation, running: Sequence[Continuation], most: int) -> Sequence[int]:
    after = max(of.boundary or 0, of.cursor)
    return (await read_needing(tx, of, running, after=after, counted=0, most=most)).user_ids


def _serve(book: SeatBook, pool: Pool, promised: Sequence[tuple[Continuation, Sequence[int]]], seats: int) -> int:
    """Give so many seats in the order in which they were asked for; of members not reached yet the boundary moves."""
    waiting = [(place, None) for place in book.table.waiting(pool.id)]
    unreached = [(_place(of, user_id), of) for of, user_ids in promised for user_id in user_ids]
    queue: list[tuple[WaitingPlace, Continuation | None]] = sorted([*waiting, *unreached], key=_first)
    book.stir(pool)
    for place, of in queue[:seats]:
        if of is None:
            seat = book.table.rows[place[-1]]
            book.table.put(seat, seat._replace(state=State.ACTIVE))
        else:
            of.boundary = place[2]
            of.reserved += 1
            pool.reserved += 1
    for of, user_ids in promised:
        if len(user_ids) < seats and (not user_ids or of.boundary == user_ids[-1]):
            of.boundary = None
    pool.is_bounded = any(of.boundary is not None for of, _ in promised)
    return min(len(queue), seats)


def _left(pool: Pool, bounded: Sequence[Continuation]) -> int:
    """How many are still to be given seats that are free."""
    waiting = pool.queued + sum(1 for of in bounded if of.boundary is not None)
    return waiting if pool.capacity is None else max(0, min(waiting, pool.capacity - pool.used - pool.reserved))


def _promotes(one: Continuation, license_id: int) -> bool:
    return one.kind is Continuing.PROMOTE and one.license_id == license_id


def _promotion(tenant_id: int, license_id: int, cause: Cause, left: int) -> Continuation:
    return Continuation(
        tenant_id=tenant_id,
        operation_id=cause.operation_id,
        operation_seq=cause.seq,
        kind=Continuing.PROMOTE,
        target=Named(license_id, ""),
        license_id=license_id,
        total=left,
    )


def _place(of: Continuation, user_id: int) -> WaitingPlace:
    return (of.operation_seq, False, user_id, 0)


def _first(candidate: tuple[WaitingPlace, Continuation | None]) -> WaitingPlace:
    return candidate[0]


def _age(one: Continuation) -> tuple[int, int]:
    return (one.operation_seq, one.id)
