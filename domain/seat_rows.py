"""Pools, grants, people and entitlements as a wave holds them in memory, and the order in which people wait.

One rule: entitlements are values that are replaced; pools, groups and grants are counters that move.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from domain.entitlements import DIRECT, Named, PoolCounts, SourceOf, State
from domain.license_commands import LicenseKind

WaitingPlace = tuple[int, bool, int, int]
"""Sorts as people wait: the operation that asked, then the person's id, addresses last, then the row's id."""
NOWHERE: WaitingPlace = (-1, False, 0, 0)
"""In front of everybody who waits."""

_HAS_A_PLACE = frozenset({State.ACTIVE, State.QUEUED, State.BLOCKED})


class Holder(NamedTuple):
    """A person as far as licences care."""

    id: int
    key: str
    active: bool = True
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str | None = None


class Seat(NamedTuple):
    """One entitlement row with its sources in grant order; `metadata` is JSON text, as in domain/users.py."""

    tenant_id: int
    id: int
    license_id: int
    user_id: int | None
    email: str | None
    email_key: str | None
    state: State
    asked_seq: int
    redirect_to: str | None
    metadata: str | None
    created_at: datetime
    updated_at: datetime
    sources: tuple[SourceOf, ...]

    @property
    def place(self) -> WaitingPlace:
        """Where it stands among those who wait for its licence."""
        return (self.asked_seq, self.user_id is None, self.user_id or 0, self.id)

    @property
    def direct(self) -> SourceOf | None:
        """The direct source, if there is one."""
        return self.sources[0] if self.sources and self.sources[0].grant_id == DIRECT else None

    def source(self, grant_id: int) -> SourceOf | None:
        """What this grant gives, if it does."""
        return next((source for source in self.sources if source.grant_id == grant_id), None)

    def with_source(self, source: SourceOf) -> "Seat":
        """The row with this source, in the place of an earlier one of the same grant."""
        others = [other for other in self.sources if other.grant_id != source.grant_id]
        return self._replace(sources=tuple(sorted([*others, source], key=_grant_id)))

    def without_source(self, grant_id: int) -> "Seat":
        """The row without what this grant gives."""
        return self._replace(sources=tuple(source for source in self.sources if source.grant_id != grant_id))


@dataclass(slots=True, kw_only=True)
class Pool:
    """A licence pool and its counts. `is_bounded`: a running fan-out has promised its free seats in order."""

    tenant_id: int
    id: int
    key: str
    name: str
    kind: LicenseKind
    capacity: int | None
    code: str | None = None
    program_key: str | None = None
    program_name: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    active: bool = True
    used: int = 0
    reserved: int = 0
    queued: int = 0
    waiting: int = 0
    is_bounded: bool = False
    # Its id and key; made once, since every event of its seats has them.
    named: Named = field(init=False)

    def __post_init__(self) -> None:
        self.named = Named(self.id, self.key)

    @property
    def counts(self) -> PoolCounts:
        """The counts as they stand."""
        return PoolCounts(
            capacity=self.capacity, used=self.used, reserved=self.reserved, queued=self.queued, waiting=self.waiting
        )

    def counts_at(self, at: datetime) -> PoolCounts:
        """The counts, and whether it gives and has started at this instant."""
        return replace(self.counts, gives=self.gives(at), has_started=self.has_started(at))

    @property
    def has_free(self) -> bool:
        """Somebody could be given a seat, were the pool to give."""
        return self.capacity is None or self.used + self.reserved < self.capacity

    def gives(self, at: datetime) -> bool:
        """An inactive or expired pool gives nobody a seat; one that starts later does."""
        return self.active and not self.has_expired(at)

    def has_started(self, at: datetime) -> bool:
        """Its first instant has come."""
        return self.starts_at is None or self.starts_at <= at

    def has_expired(self, at: datetime) -> bool:
        """Its last instant has passed."""
        return self.expires_at is not None and self.expires_at <= at

    def available(self, at: datetime) -> int | None:
        """Seats for newcomers: those that are free and that nobody waits for; None is without limit."""
        if self.is_bounded or not self.gives(at):
            return 0
        if self.capacity is None:
            return None
        return max(0, self.capacity - self.used - self.reserved - self.queued)


@dataclass(slots=True, kw_only=True)
class Group:
    """A group that has grants; one that is being deleted has the key that it had."""

    id: int
    key: str | None
    name: str
    user_count: int
    named: Named = field(init=False)

    def __post_init__(self) -> None:
        self.named = Named(self.id, self.key or "")


class GrantCounts(NamedTuple):
    """The members that a grant gives its licence to, by the state of their entitlement."""

    assigned: int
    waiting: int
    suspended: int


@dataclass(slots=True, kw_only=True)
class Grant:
    """A licence given to a group, and its counts. `is_removed`: deleted, its sources are still being taken away.

    `is_bounded`: a running fan-out has promised the places of its quota in order. `is_admitting`: those beyond the
    quota are being let in, in chunks.
    """

    tenant_id: int
    id: int
    group_id: int
    license_id: int
    created_at: datetime
    updated_at: datetime
    active: bool = True
    hold: bool = False
    shortage: str = "reject"
    quota: int | None = None
    redirect_to: str | None = None
    metadata: str | None = None
    is_removed: bool = False
    is_bounded: bool = False
    is_admitting: bool = False
    in_quota: int = 0
    assigned: int = 0
    waiting: int = 0
    suspended: int = 0

    @property
    def gives(self) -> bool:
        """Whoever joins the group is given the licence."""
        return self.active and not self.hold and not self.is_removed

    @property
    def counts(self) -> GrantCounts:
        """The counts as they stand."""
        return GrantCounts(self.assigned, self.waiting, self.suspended)

    def is_full(self, members: int) -> bool:
        """Whoever comes after so many members is beyond the quota, whether all of those have been reached or not."""
        return self.quota is not None and members >= self.quota

    @property
    def blocked(self) -> int:
        """Its sources that are beyond the quota."""
        return self.assigned + self.waiting + self.suspended - self.in_quota


def merged(held: Seat, bound: Seat) -> Seat:
    """One row of the two that a person has of a licence: the seat if either has one, and the older place."""
    places = [seat.asked_seq for seat in (held, bound) if seat.state in _HAS_A_PLACE]
    sources = held
    for source in bound.sources:
        known = held.source(source.grant_id)
        if known is None or source.seq < known.seq:
            sources = sources.with_source(source)
    return sources._replace(
        state=min(held.state, bound.state),
        asked_seq=min(places, default=held.asked_seq),
        redirect_to=bound.redirect_to if held.redirect_to is None else held.redirect_to,
        metadata=bound.metadata if held.metadata is None else held.metadata,
    )


def _grant_id(source: SourceOf) -> int:
    return source.grant_id
