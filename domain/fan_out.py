"""Gives a grant's licence to members in chunks: who has nothing of it yet is served in bulk, past the seat book.

One rule: what is done here to counts and announced of rows is what SeatBook would have done, one person at a time.
"""

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from typing import Protocol

from domain.continuations import Continuation, Continuing
from domain.entitlements import Named, State
from domain.events import EventRun, EventType, named
from domain.seat_rows import Grant, Pool, Seat
from domain.seats import SeatBook


class Newcomer(Protocol):
    """Somebody who has nothing of the licence, and the id of the row they are about to have."""

    @property
    def user_id(self) -> int:
        """The person."""

    @property
    def key(self) -> str:
        """The person's key."""

    @property
    def fresh_id(self) -> int:
        """Their row to be."""


def give_holders(book: SeatBook, of: Continuation, seats: Iterable[Seat]) -> None:
    """Let the grant be a source of rows that are there already; only one beyond all its quotas asks for a seat."""
    pool, grant = _facts(book, of)
    for seat in seats:
        if seat.user_id is None or seat.source(grant.id) is not None:
            continue
        blocked = of.is_beyond_quota(seat.user_id)
        asks = seat.state is State.BLOCKED and not blocked
        reserved = asks and of.has_seat_for(seat.user_id)
        if reserved:
            _draw(book, pool, of, 1)
        book.change(seat, seat.with_source(book.source(grant.id, blocked=blocked)), reserved=reserved)


def admit(book: SeatBook, of: Continuation, seats: Iterable[Seat]) -> None:
    """Let in rows that have been beyond the grant's quota; those that nothing else gives ask for a seat.

    What a fan-out holds back is for those whom it has yet to reach.
    """
    pool, grant = _facts(book, of)
    grant.is_admitting = True
    for seat in seats:
        source = seat.source(grant.id)
        if source is None or not source.blocked:
            continue
        asks = seat.state is State.BLOCKED and of.kind is Continuing.ADMIT
        reserved = asks and of.has_seat_for(seat.user_id or 0)
        if reserved:
            _draw(book, pool, of, 1)
        book.change(seat, seat.with_source(source._replace(blocked=False)), reserved=reserved)


def give_newcomers(book: SeatBook, of: Continuation, newcomers: Sequence[Newcomer]) -> list[State]:
    """Decide the rows of people who have none, in the order in which they come, and count them."""
    pool, grant = _facts(book, of)
    book.stir(pool)
    if of.quota_boundary is None and of.boundary is None and of.reserved >= len(newcomers):
        states = [State.ACTIVE] * len(newcomers)
        _draw(book, pool, of, len(newcomers))
        pool.used += len(newcomers)
    else:
        states = [_state(book, pool, of, newcomer.user_id) for newcomer in newcomers]
    _count(book, grant, states)
    return states


def tell_newcomers(
    book: SeatBook, of: Continuation, newcomers: Sequence[Newcomer], states: Sequence[State]
) -> list[EventRun]:
    """What is told of rows that are new in these states."""
    pool, grant = _facts(book, of)
    return told_of_newcomers(pool.named, book.facts.groups[grant.group_id].named, newcomers, states)


def _facts(book: SeatBook, of: Continuation) -> tuple[Pool, Grant]:
    grant = book.facts.grants[of.target.id]
    return book.facts.pools[grant.license_id], grant


def _draw(book: SeatBook, pool: Pool, of: Continuation, seats: int) -> None:
    """Take seats from what is held back; whoever is given them counts them as used."""
    book.stir(pool)
    of.reserved -= seats
    pool.reserved -= seats


def _state(book: SeatBook, pool: Pool, of: Continuation, user_id: int) -> State:
    if of.is_beyond_quota(user_id):
        pool.waiting += 1
        return State.BLOCKED
    if of.has_seat_for(user_id):
        _draw(book, pool, of, 1)
    elif not book.has_seat_for_newcomer(pool):
        pool.waiting += 1
        pool.queued += 1
        return State.QUEUED
    pool.used += 1
    return State.ACTIVE


def _count(book: SeatBook, grant: Grant, states: Sequence[State]) -> None:
    book.table.grants_before.setdefault(grant.id, grant.counts)
    active, blocked = states.count(State.ACTIVE), states.count(State.BLOCKED)
    grant.assigned += active
    grant.waiting += len(states) - active
    grant.in_quota += len(states) - blocked


def told_of_newcomers(
    license_of: Named, group: Named, newcomers: Sequence[Newcomer], states: Sequence[State]
) -> list[EventRun]:
    """What is told of rows that are new in these states: of those who wait, then of those who have a seat."""
    granted = [newcomer for newcomer, state in zip(newcomers, states, strict=True) if state is State.ACTIVE]
    waiting = [newcomer for newcomer, state in zip(newcomers, states, strict=True) if state is not State.ACTIVE]
    runs = [
        _run(EventType.ENTITLEMENT_WAITING, State.QUEUED, license_of, group, waiting),
        _run(EventType.ENTITLEMENT_GRANTED, State.ACTIVE, license_of, group, granted),
    ]
    return [run for run in runs if run.data]


def _run(
    event_type: EventType, state: State, license_of: Named, group: Named, newcomers: Sequence[Newcomer]
) -> EventRun:
    """The events of domain/entitlements.py for rows whose one source is this group; a test holds the two together."""
    before = f'{{"license":{named(*license_of)},"user":{{"id":'
    after = f',"state":"{state.shown}","sources":[{{"type":"group","group":{named(*group)}}}]}}'
    subject = f'"licenses/{encode_basestring(license_of.key)[1:-1]}/users/'
    keys = [encode_basestring(newcomer.key) for newcomer in newcomers]
    return EventRun(
        type=event_type,
        subjects=[subject + key[1:] for key in keys],
        data=[
            f'{before}{newcomer.user_id},"key":{key}}},"assignment_id":{newcomer.fresh_id}{after}'
            for newcomer, key in zip(newcomers, keys, strict=True)
        ],
    )
