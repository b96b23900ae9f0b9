"""One step of a continuation: the people it comes to next, or those another command is about to touch, and their seats.

One rule: whoever a step comes to is served by the same code, whichever of the two brings it there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.continuations import OF_DEAD_LETTERS, Continuation, Continuing
from domain.events import ORDER, Told
from domain.fan_out import admit, give_holders, give_newcomers, tell_newcomers
from domain.license_dates import expire
from domain.planning import Reached
from domain.seats import SeatBook
from infra.postgres.cascades import next_of_group, next_of_license, next_of_role
from infra.postgres.continuation_people import Person, add_holders, next_holders, next_members
from infra.postgres.continuations import read_running
from infra.postgres.database import Transaction
from infra.postgres.due import holders_of_expired
from infra.postgres.group_bundles import next_admitted, next_stray
from infra.postgres.seat_writes import write_seats
from infra.postgres.seats import load_seats
from workers.cascades import CASCADES, open_cascade, serve_group, serve_license, serve_role
from workers.dead_letter_steps import take_dead_letter_step
from workers.settling import Cause, give_on, settle_book


class Step(NamedTuple):
    """What a step has done: how many people it came to, and whether there are more. `reached` is told of others."""

    touched: int
    more: bool
    reached: Sequence[Reached] = ()


class Upcoming(NamedTuple):
    """Whom the next step comes to, and whether there are more behind them."""

    people: list[Person]
    more: bool


Tell = Callable[[Sequence[Told]], Awaitable[None]]
"""Called while Postgres writes: with what a step tells, in this order."""


def keeping(told: list[Told]) -> Tell:
    """A `Tell` for whoever tells later: what is told is kept here."""

    async def tell(more: Sequence[Told]) -> None:
        told.extend(more)

    return tell


async def touch(tx: Transaction, of: Continuation, people: Sequence[Person], at: datetime) -> list[Told]:
    """Come to people whom another command is about to touch; the cursor stays."""
    told: list[Told] = []
    book = await open_book(tx, of, people, at)
    await close_book(tx, book, of, await serve(tx, book, of, people), keeping(told))
    return told


async def take_step(
    tx: Transaction, of: Continuation, upcoming: Upcoming, *, rows: int, at: datetime, tell: Tell
) -> Step:
    """Come to the next so many people and move the cursor; the continuation's row is the caller's to write."""
    if of.kind in OF_DEAD_LETTERS:
        dealt = await take_dead_letter_step(tx, of, rows=rows)
        return Step(dealt.done, dealt.more, dealt.reached)
    if of.kind is Continuing.PROMOTE:
        return await _promote(tx, of, rows=rows, at=at, tell=tell)
    people, more = upcoming
    book = await open_book(tx, of, people, at)
    told = await serve(tx, book, of, people)
    move_cursor(of, people)
    more = more or _begins_again(book, of, people)
    if not more:
        release(book, of)
    await close_book(tx, book, of, told, tell)
    return Step(len(people), more)


async def next_people(tx: Transaction, of: Continuation, rows: int) -> Upcoming:
    """Whom the next step comes to; nobody where it goes by something else."""
    if of.kind not in _NEXT:
        return Upcoming([], more=False)
    found = await _NEXT[of.kind](tx, of, rows + 1)
    return Upcoming(found[:rows], len(found) > rows)


async def open_book(tx: Transaction, of: Continuation, people: Sequence[Person], at: datetime) -> SeatBook:
    """The seats of these people as far as the continuation is about them."""
    book = await (open_cascade if of.kind in CASCADES else _open)(tx, of, people, at)
    book.begin(operation_id=of.operation_id, seq=of.operation_seq)
    return book


async def _open(tx: Transaction, of: Continuation, people: Sequence[Person], at: datetime) -> SeatBook:
    return await load_seats(
        tx,
        at=at,
        assignments=[(of.tenant_id, one.entitlement_id) for one in people if one.entitlement_id is not None],
        groups=[] if of.group_id is None else [(of.tenant_id, of.group_id)],
        licenses=[] if of.license_id is None else [(of.tenant_id, of.license_id)],
        grants=[(of.tenant_id, of.target.id)] if of.kind in _OF_GRANTS else [],
    )


async def serve(tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    """Do to these people what the continuation does, in the book or, for whoever has nothing yet, in bulk."""
    return await _SERVE[of.kind](tx, book, of, people)


def move_cursor(of: Continuation, people: Sequence[Person]) -> None:
    """The people up to here are done with."""
    if people:
        last = people[-1]
        of.cursor = last.user_id if of.kind in _BY_PERSON else (last.entitlement_id or of.cursor)


def release(book: SeatBook, of: Continuation) -> None:
    """Give back seats that are held for nobody any more."""
    of.boundary = None
    pool = book.facts.pools.get(of.license_id or 0)
    if of.reserved and pool is not None:
        book.stir(pool)
        pool.reserved -= of.reserved
        of.reserved = 0


async def close_book(tx: Transaction, book: SeatBook, of: Continuation, told: Sequence[Told], tell: Tell) -> None:
    """Write what the book has become and tell of it, by type; then the same of seats that came free and are given on.

    Told before it is written: what served the people may still be on its way into their rows.
    """
    rows = sorted([*told, *book.drain()], key=lambda one: ORDER[one.type])
    if of.kind is Continuing.DELETE_LICENSE:
        # A pool that is gone is neither exhausted nor available.
        book.table.pools_before.pop(of.target.id, None)
    counts = book.end()
    changes = book.changes()
    await tell([*rows, *counts])
    await write_seats(tx, changes)
    await tell(await settle_book(tx, changes, of, book.at))


async def _promote(tx: Transaction, of: Continuation, *, rows: int, at: datetime, tell: Tell) -> Step:
    """Waiters have an order of their own, so there is no cursor: those who are served wait no more."""
    running = await read_running(tx, [of.tenant_id])
    cause = Cause(of.operation_id, of.operation_seq)
    given = await give_on(tx, of.tenant_id, of.license_id or 0, cause, at, running=running, most=rows)
    await tell(given.told)
    return Step(given.served, more=given.left > 0)


async def _give(tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    rows = book.table.rows
    give_holders(book, of, [rows[one.entitlement_id] for one in people if one.entitlement_id is not None])
    newcomers = [one for one in people if one.entitlement_id is None]
    if not newcomers:
        return []
    states = give_newcomers(book, of, newcomers)
    # In this order: Postgres writes the rows while the events are made here.
    await add_holders(tx, of, newcomers, states)
    return list(tell_newcomers(book, of, newcomers, states))


async def _admit(_tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    rows = book.table.rows
    admit(book, of, [rows[one.entitlement_id] for one in people if one.entitlement_id is not None])
    return []


async def _withdraw(_tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    _announce_if_removed(book, of)
    for one in people:
        seat = book.table.rows.get(one.entitlement_id or 0)
        if seat is not None:
            book.change(seat, seat.without_source(of.target.id))
    return []


async def _convert(_tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    _announce_if_removed(book, of)
    for one in people:
        seat = book.table.rows.get(one.entitlement_id or 0)
        if seat is not None:
            book.convert(of.target.id, seat)
    return []


def _announce_if_removed(book: SeatBook, of: Continuation) -> None:
    """A grant that nobody sees any more is told of until its last source is gone."""
    grant = book.facts.grants[of.target.id]
    if grant.is_removed:
        book.announce(grant)


async def _next_of_expired(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    return await holders_of_expired(tx, of.tenant_id, [of.license_id or 0], rows=rows, cursor=of.cursor)


async def _expire(_tx: Transaction, book: SeatBook, _of: Continuation, people: Sequence[Person]) -> list[Told]:
    expire(book, (one.entitlement_id for one in people))
    return []


def _begins_again(book: SeatBook, of: Continuation, people: Sequence[Person]) -> bool:
    """Somebody still holds a seat of what has expired: a merge brought it into a row that the cursor had passed."""
    pool = book.facts.pools.get(of.license_id or 0)
    if of.kind is not Continuing.EXPIRE or pool is None or not pool.has_expired(book.at):
        return False
    if not pool.used or not (people or of.cursor):
        return False
    of.cursor = 0
    return True


Select = Callable[[Transaction, Continuation, int], Awaitable[list[Person]]]
Serve = Callable[[Transaction, SeatBook, Continuation, Sequence[Person]], Awaitable[list[Told]]]

_NEXT: Mapping[Continuing, Select] = {
    Continuing.GIVE: next_members,
    Continuing.WITHDRAW: next_holders,
    Continuing.CONVERT: next_holders,
    Continuing.DELETE_GROUP: next_of_group,
    Continuing.DELETE_ROLE: next_of_role,
    Continuing.DELETE_LICENSE: next_of_license,
    Continuing.ADMIT: next_admitted,
    Continuing.CLEAR: next_stray,
    Continuing.EXPIRE: _next_of_expired,
}
_SERVE: Mapping[Continuing, Serve] = {
    Continuing.GIVE: _give,
    Continuing.WITHDRAW: _withdraw,
    Continuing.CONVERT: _convert,
    Continuing.DELETE_GROUP: serve_group,
    Continuing.DELETE_ROLE: serve_role,
    Continuing.DELETE_LICENSE: serve_license,
    Continuing.ADMIT: _admit,
    Continuing.CLEAR: _withdraw,
    Continuing.EXPIRE: _expire,
}
_OF_GRANTS = frozenset({Continuing.GIVE, Continuing.WITHDRAW, Continuing.CONVERT, Continuing.ADMIT, Continuing.CLEAR})
_BY_PERSON = frozenset({Continuing.GIVE, Continuing.DELETE_GROUP, Continuing.DELETE_ROLE})
