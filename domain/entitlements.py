"""Pools, grants, entitlements and their sources as values, and the events that tell of them.

One rule: a person has one entitlement and at most one seat of a licence, however many sources give it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, unique
from typing import NamedTuple
from uuid import UUID

from domain.errors import JSON
from domain.events import Event, EventType

DIRECT = 0
"""The grant id of a direct source."""

UTILISATION_MARKS = (75, 100)
"""Per cent of a pool at which `license.utilisation` is announced."""


@unique
class State(IntEnum):
    """What an entitlement is, as stored in entitlement.state. Callers see active, waiting or suspended."""

    ACTIVE = 1  # holds a seat
    QUEUED = 2  # waits for a seat of its pool
    BLOCKED = 3  # all its sources are beyond their grants' quotas
    PARKED = 4  # its person is not active
    SUSPENDED = 5  # a client set its direct assignment to inactive

    @property
    def shown(self) -> str:
        """The state as callers see it."""
        if self is State.ACTIVE:
            return "active"
        return "suspended" if self is State.SUSPENDED else "waiting"


class Named(NamedTuple):
    """Something with a numeric id and the upstream's key."""

    id: int
    key: str

    @property
    def document(self) -> dict[str, JSON]:
        """As it stands in events and answers."""
        return {"id": self.id, "key": self.key}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCounts:
    """What a pool's seats are doing; `capacity` None is without limit. One that is idle or has expired gives none."""

    capacity: int | None
    used: int
    reserved: int
    queued: int
    waiting: int
    gives: bool = True
    has_started: bool = True

    @property
    def free(self) -> int | None:
        """Seats that nobody holds and nothing holds back; None is without limit."""
        return None if self.capacity is None else self.capacity - self.used - self.reserved

    @property
    def percent(self) -> int:
        """How full the pool is, in whole per cent; one without limit is never filled, one without seats is full."""
        if self.capacity is None:
            return 0
        return 100 if self.capacity == 0 else (self.used + self.reserved) * 100 // self.capacity

    @property
    def document(self) -> dict[str, JSON]:
        """As it stands in events."""
        return {
            "capacity": self.capacity,
            "used": self.used,
            "reserved": self.reserved,
            "waiting": self.waiting,
        }


class SourceOf(NamedTuple):
    """Why a person has a licence: the grant (DIRECT: themselves), since when, and by which operation."""

    grant_id: int
    blocked: bool
    seq: int
    operation_id: UUID
    since: datetime


def entitlement_event(
    event_type: EventType,
    *,
    license_of: Named,
    user: Named | None,
    assignment_id: int,
    state: str,
    groups: Iterable[Named],
    direct: bool,
) -> Event:
    """An `entitlement.*` or `license_assignment.updated`: `state` is active, waiting, suspended or ended.

    `groups` are those that give the licence, in id order; an e-mail address whose person is unknown has no user.
    """
    sources: list[JSON] = [{"type": "direct"}] if direct else []
    sources += [{"type": "group", "group": group.document} for group in groups]
    holder = f"assignments/{assignment_id}" if user is None else f"users/{user.key}"
    return Event(
        type=event_type,
        subject=f"licenses/{license_of.key}/{holder}",
        data={
            "license": license_of.document,
            "user": None if user is None else user.document,
            "assignment_id": assignment_id,
            "state": state,
            "sources": sources,
        },
    )


def group_license_event(
    *,
    license_of: Named,
    group: Named,
    assignment_id: int,
    active: bool,
    counts: Mapping[str, int],
    ready: bool = True,
    deleted: bool = False,
) -> Event:
    """A `group_license.updated`; `counts` has user_count, assigned, waiting and suspended.

    One that is on hold, or whose licence has not started, is not `ready`.
    """
    data: dict[str, JSON] = {
        "license": license_of.document,
        "group": group.document,
        "assignment_id": assignment_id,
        "active": active,
        "fulfilled": active and ready and not deleted and counts["assigned"] == counts["user_count"],
        "counts": dict(counts),
    }
    if deleted:
        data["deleted"] = True
    return Event(
        type=EventType.GROUP_LICENSE_UPDATED, subject=f"groups/{group.key}/licenses/{license_of.key}", data=data
    )


def pool_events(license_of: Named, before: PoolCounts, after: PoolCounts) -> list[Event]:
    """What one operation has done to a pool: utilisation marks reached, exhausted, available again.

    Seats that come free in a pool that does not give are nobody's to have: they are available once it gives.
    """
    events = [
        _pool_event(EventType.LICENSE_UTILISATION, license_of, after, percent=mark)
        for mark in UTILISATION_MARKS
        if before.percent < mark <= after.percent
    ]
    had, has = _has_free(before), _has_free(after)
    if had and not has:
        events.append(_pool_event(EventType.LICENSE_EXHAUSTED, license_of, after))
    if (has and after.gives) and not (had and before.gives):
        events.append(_pool_event(EventType.LICENSE_AVAILABLE, license_of, after))
    return events


def license_event(license_of: Named, counts: PoolCounts, *, active: bool, deleted: bool = False) -> Event:
    """A `license.updated`."""
    data: dict[str, JSON] = {"license": license_of.document, "active": active, "counts": counts.document}
    if deleted:
        data["deleted"] = True
    return Event(type=EventType.LICENSE_UPDATED, subject=f"licenses/{license_of.key}", data=data)


def _has_free(counts: PoolCounts) -> bool:
    return counts.free is None or counts.free > 0


def _pool_event(event_type: EventType, license_of: Named, counts: PoolCounts, **more: JSON) -> Event:
    data: dict[str, JSON] = {"license": license_of.document, **more, "counts": counts.document}
    return Event(type=event_type, subject=f"licenses/{license_of.key}", data=data)
