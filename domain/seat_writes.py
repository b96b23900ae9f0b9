"""What a wave has changed of entitlements, sources and counts, against what it found.

One rule: only net effects are written; what was taken and given back within the wave leaves no trace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.entitlements import SourceOf
from domain.seat_rows import Grant, Pool, Seat
from domain.seat_table import SeatFacts, SeatTable

_Counts = tuple[int, int, int, int]


class SourceRow(NamedTuple):
    """A source of a row; of what a group gives, with the person."""

    tenant_id: int
    seat_id: int
    user_id: int | None
    source: SourceOf


class SourceKey(NamedTuple):
    """A source that is gone while its row lives on."""

    tenant_id: int
    seat_id: int
    grant_id: int


class Moved(NamedTuple):
    """By how much the counts of a pool (used, reserved, queued, waiting) or a grant move.

    Of a grant: in_quota, assigned, waiting, suspended.
    """

    tenant_id: int
    id: int
    by: _Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatChanges:
    """The net effect of a wave on licences, `at` its instant.

    `unsettled` pools and grants could serve more people than were read.
    """

    at: datetime
    made: Sequence[Seat]
    changed: Sequence[Seat]
    ended: Sequence[Seat]
    sources_made: Sequence[SourceRow]
    sources_changed: Sequence[SourceRow]
    sources_gone: Sequence[SourceKey]
    pools: Sequence[Moved]
    grants: Sequence[Moved]
    unsettled: frozenset[tuple[int, int]]
    unsettled_grants: frozenset[tuple[int, int]]


class CountsFound:
    """The counts of pools and grants as a wave found them."""

    def __init__(self, facts: SeatFacts) -> None:
        self._pools = {number: _pool_counts(pool) for number, pool in facts.pools.items()}
        self._grants = {number: _grant_counts(grant) for number, grant in facts.grants.items()}

    def pools(self, facts: SeatFacts) -> list[Moved]:
        """The pools whose counts have moved, in id order; one that the wave has made began with nothing."""
        moved = [
            Moved(pool.tenant_id, number, _minus(_pool_counts(pool), self._pools.get(number, (0, 0, 0, 0))))
            for number, pool in sorted(facts.pools.items())
        ]
        return [one for one in moved if any(one.by)]

    def grants(self, facts: SeatFacts) -> list[Moved]:
        """The grants whose counts have moved, likewise."""
        moved = [
            Moved(grant.tenant_id, number, _minus(_grant_counts(grant), self._grants.get(number, (0, 0, 0, 0))))
            for number, grant in sorted(facts.grants.items())
        ]
        return [one for one in moved if any(one.by)]


def net_changes(table: SeatTable, facts: SeatFacts, found: CountsFound, at: datetime) -> SeatChanges:
    """What is to be written. Rows in id order, so that two writers could never deadlock."""
    before = sorted(table.found.items())
    rows = [(old, table.rows.get(number)) for number, old in before]
    kept = [(old, new) for old, new in rows if old is not None and new is not None and old != new]
    made = [new for old, new in rows if old is None and new is not None]
    return SeatChanges(
        at=at,
        made=made,
        changed=[new for old, new in kept if old._replace(sources=()) != new._replace(sources=())],
        ended=[old for old, new in rows if old is not None and new is None],
        sources_made=[
            *(_row(seat, source) for seat in made for source in seat.sources),
            *(row for old, new in kept for row in _gained(old, new)),
        ],
        sources_changed=[row for old, new in kept for row in _altered(old, new)],
        sources_gone=[key for old, new in kept for key in _lost(old, new)],
        pools=found.pools(facts),
        grants=found.grants(facts),
        unsettled=frozenset((facts.pools[number].tenant_id, number) for number in table.unsettled),
        unsettled_grants=frozenset((facts.grants[number].tenant_id, number) for number in table.unsettled_grants),
    )


def _gained(old: Seat, new: Seat) -> Iterator[SourceRow]:
    for source in new.sources:
        if old.source(source.grant_id) is None:
            yield _row(new, source)


def _altered(old: Seat, new: Seat) -> Iterator[SourceRow]:
    for source in new.sources:
        was = old.source(source.grant_id)
        if was is not None and was != source:
            yield _row(new, source)


def _lost(old: Seat, new: Seat) -> Iterator[SourceKey]:
    for source in old.sources:
        if new.source(source.grant_id) is None:
            yield SourceKey(new.tenant_id, new.id, source.grant_id)


def _row(seat: Seat, source: SourceOf) -> SourceRow:
    return SourceRow(seat.tenant_id, seat.id, seat.user_id if source.grant_id else None, source)


def _pool_counts(pool: Pool) -> _Counts:
    return (pool.used, pool.reserved, pool.queued, pool.waiting)


def _grant_counts(grant: Grant) -> _Counts:
    return (grant.in_quota, grant.assigned, grant.waiting, grant.suspended)


def _minus(now: _Counts, then: _Counts) -> _Counts:
    return (now[0] - then[0], now[1] - then[1], now[2] - then[2], now[3] - then[3])
