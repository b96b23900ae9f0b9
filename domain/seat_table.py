"""The entitlements that a wave may touch, with what follows from each row: counts, indexes, waiting lists.

One rule: every change of a row goes through `put`, so that counts and lists cannot say anything else than the rows.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.entitlements import PoolCounts, State
from domain.seat_rows import Grant, GrantCounts, Group, Holder, Pool, Seat, WaitingPlace


@dataclass(slots=True, kw_only=True)
class SeatFacts:
    """What a wave's seats stand on; all ids are unique across tenants.

    Of those who wait for a licence (or are beyond a grant's quota) the oldest have been read, as far as `horizons` and
    `quota_horizons` say: those in front of that place are all here. `fresh_ids` are for rows to be made.
    """

    pools: dict[int, Pool] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    grants: dict[int, Grant] = field(default_factory=dict)
    people: dict[int, Holder] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)
    horizons: dict[int, WaitingPlace] = field(default_factory=dict)
    quota_horizons: dict[int, WaitingPlace] = field(default_factory=dict)
    fresh_ids: Iterator[int] = field(default_factory=lambda: iter(()))


class SeatTable:
    """Rows by id, by person and by address. `touched` holds what rows were before, until somebody clears it."""

    def __init__(self, facts: SeatFacts, at: datetime) -> None:
        self._at = at
        self.pools: Mapping[int, Pool] = facts.pools
        self.grants: Mapping[int, Grant] = facts.grants
        self.rows: dict[int, Seat] = {}
        self.touched: dict[int, Seat | None] = {}
        self.found: dict[int, Seat | None] = {}
        # Licences whose waiting list may move, and grants whose quota may have room.
        self.stirred: set[int] = set()
        self.opened: set[int] = set()
        # Pools and grants that could serve more people than are known here.
        self.unsettled: set[int] = set()
        self.unsettled_grants: set[int] = set()
        # What counts were when the operation began, of those that it has moved.
        self.pools_before: dict[int, PoolCounts] = {}
        self.grants_before: dict[int, GrantCounts] = {}
        self._of_person: dict[tuple[int, int], int] = {}
        self._of_address: dict[tuple[int, str], int] = {}
        self._of_user: dict[int, set[int]] = {}
        self._of_email: dict[tuple[int, str], set[int]] = {}
        self._waiting: dict[int, list[WaitingPlace]] = {}
        self._blocked: dict[int, list[WaitingPlace]] = {}
        for seat in facts.seats:
            self.rows[seat.id] = seat
            self._enter(seat)
            self._wait(seat)

    def of_person(self, license_id: int, user_id: int) -> Seat | None:
        """What this person has of this licence."""
        row_id = self._of_person.get((license_id, user_id))
        return None if row_id is None else self.rows[row_id]

    def of_address(self, license_id: int, email_key: str) -> Seat | None:
        """What is kept for this address, whose person is unknown."""
        row_id = self._of_address.get((license_id, email_key))
        return None if row_id is None else self.rows[row_id]

    def of_user(self, user_id: int) -> list[Seat]:
        """Everything this person has, in id order."""
        return [self.rows[row_id] for row_id in sorted(self._of_user.get(user_id, ()))]

    def of_email(self, tenant_id: int, email_key: str) -> list[Seat]:
        """Everything that is kept for this address, in id order."""
        return [self.rows[row_id] for row_id in sorted(self._of_email.get((tenant_id, email_key), ()))]

    def waiting(self, license_id: int) -> list[WaitingPlace]:
        """The places of those who wait for this licence, as far as they are known here; the last part is the row."""
        return self._waiting.get(license_id, [])

    def blocked(self, grant_id: int) -> list[WaitingPlace]:
        """The places of this grant's sources beyond its quota, likewise."""
        return self._blocked.get(grant_id, [])

    def position(self, seat: Seat, seq: int) -> int | None:
        """Its place among those who wait, from 1, where it has asked in the operation `seq`, the latest there is.

        None else: of those who have asked with it all are known here, of those who asked earlier only some may be.
        """
        if seat.state is not State.QUEUED or seat.asked_seq != seq:
            return None
        places = self.waiting(seat.license_id)
        behind = len(places) - bisect_left(places, seat.place) - 1
        return self.pools[seat.license_id].queued - behind

    def put(self, old: Seat | None, new: Seat | None) -> None:
        """Put the row in the place of what it was; None is a row that does not exist."""
        row_id = new.id if new is not None else _existing(old).id
        self.touched.setdefault(row_id, old)
        self.found.setdefault(row_id, old)
        if old is not None:
            self._count(old, -1)
            self._unwait(old)
            if new is None or new.user_id != old.user_id:
                self._exit(old)
        if new is None:
            del self.rows[row_id]
            return
        self.rows[row_id] = new
        self._count(new, 1)
        self._wait(new)
        if old is None or new.user_id != old.user_id:
            self._enter(new)

    def watch(self, pool: Pool) -> None:
        """Remember what this pool's counts were when the operation began."""
        if pool.id not in self.pools_before:
            self.pools_before[pool.id] = pool.counts_at(self._at)

    def retouch(self, seat: Seat) -> None:
        """Put a row whose counts and places are as they were."""
        self.rows[seat.id] = seat

    def _count(self, seat: Seat, by: int) -> None:
        pool, state = self.pools[seat.license_id], seat.state
        self.watch(pool)
        if state is State.ACTIVE:
            pool.used += by
            if by < 0:
                self.stirred.add(pool.id)
        elif state is not State.SUSPENDED:
            pool.waiting += by
            if state is State.QUEUED:
                pool.queued += by
                self.stirred.add(pool.id)
        for source in seat.sources:
            if source.grant_id:
                self._count_source(self.grants[source.grant_id], state, by, is_blocked=source.blocked)

    def _count_source(self, grant: Grant, state: State, by: int, *, is_blocked: bool) -> None:
        if grant.id not in self.grants_before:
            self.grants_before[grant.id] = grant.counts
        if not is_blocked:
            grant.in_quota += by
        if state is State.ACTIVE:
            grant.assigned += by
        elif state is State.SUSPENDED:
            grant.suspended += by
        else:
            grant.waiting += by
        if grant.quota is not None:
            self.opened.add(grant.id)

    def _enter(self, seat: Seat) -> None:
        if seat.user_id is not None:
            self._of_person[seat.license_id, seat.user_id] = seat.id
            self._of_user.setdefault(seat.user_id, set()).add(seat.id)
        elif seat.email_key is not None:
            self._of_address[seat.license_id, seat.email_key] = seat.id
            self._of_email.setdefault((seat.tenant_id, seat.email_key), set()).add(seat.id)

    def _exit(self, seat: Seat) -> None:
        if seat.user_id is not None:
            del self._of_person[seat.license_id, seat.user_id]
            self._of_user[seat.user_id].discard(seat.id)
        elif seat.email_key is not None:
            del self._of_address[seat.license_id, seat.email_key]
            self._of_email[seat.tenant_id, seat.email_key].discard(seat.id)

    def _wait(self, seat: Seat) -> None:
        if seat.state is State.QUEUED:
            insort(self._waiting.setdefault(seat.license_id, []), seat.place)
        for source in seat.sources:
            if source.blocked:
                insort(self._blocked.setdefault(source.grant_id, []), (source.seq, *seat.place[1:]))

    def _unwait(self, seat: Seat) -> None:
        if seat.state is State.QUEUED:
            _remove(self._waiting[seat.license_id], seat.place)
        for source in seat.sources:
            if source.blocked:
                _remove(self._blocked[source.grant_id], (source.seq, *seat.place[1:]))


def _remove(places: list[WaitingPlace], place: WaitingPlace) -> None:
    del places[bisect_left(places, place)]


def _existing(seat: Seat | None) -> Seat:
    """The row.

    Raises:
        ValueError: neither what it was nor what it is was given.
    """
    if seat is None:
        raise ValueError("a change of nothing into nothing")
    return seat
