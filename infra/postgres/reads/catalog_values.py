"""The questions of the catalogue API's lists and the rows that answer them, as values; part of reads/catalog.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from domain.entitlements import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a list: newest first or last, after so many, so many."""

    descending: bool = False
    offset: int = 0
    limit: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramsWanted:
    """Which licences; `part_of_name` is found without case, None asks nothing."""

    part: Part
    active: bool | None = None
    external_id: str | None = None
    name: str | None = None
    program_id: int | None = None
    part_of_name: str | None = None
    source: str | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentsWanted:
    """Which assignments of a licence; None asks nothing. E-mail addresses are compared without case."""

    part: Part
    license_id: int
    active: bool | None = None
    fulfilled: bool | None = None
    user_id: int | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsWanted:
    """Which group assignments of a licence; None asks nothing."""

    part: Part
    license_id: int
    active: bool | None = None
    fulfilled: bool | None = None
    group_id: int | None = None


class ShownProgram(NamedTuple):
    """A program licence; `suspended` is None where it was not asked for."""

    id: int
    name: str
    capacity: int | None
    used: int
    waiting: int
    active: bool
    created_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    metadata: dict[str, Any] | None
    source: str
    external_id: str | None
    program_id: int | None
    program_key: str | None
    program_name: str | None
    suspended: int | None


class ShownAssignment(NamedTuple):
    """A person's one assignment of a licence; without a user it is an e-mail address."""

    id: int
    user_id: int | None
    username: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    state: int
    direct: bool
    redirect_to: str | None
    metadata: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class ShownGroup(NamedTuple):
    """A group's assignment of a licence."""

    id: int
    group_id: int
    group_name: str
    active: bool
    redirect_to: str | None
    metadata: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    user_count: int
    assigned: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The licence that a list is about."""

    id: int
    name: str
    program_key: str | None
    program_name: str | None
    used: int
    waiting: int
    has_started: bool

    def is_fulfilled(self, assignment: ShownAssignment) -> bool:
        """The seat is held, the person known, and the licence has started."""
        return assignment.state == State.ACTIVE and assignment.user_id is not None and self.has_started

    def is_given(self, group: ShownGroup) -> bool:
        """Every member holds a seat, and the licence has started."""
        return group.active and group.assigned == group.user_count and self.has_started
