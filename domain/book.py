"""The assignments a wave may touch, held in memory while its commands are decided one after the other.

One rule: what the book says after a command is what the database will say, so the next command is decided on it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple, Protocol

from domain.assignment_events import assignment_data, assignment_subject
from domain.events import Event, EventType, named
from domain.sources import Source

# Python 3.11 finds a member of an enum by a call, and every row that is made or goes has its event.
_CREATED, _DELETED = EventType.GROUP_ASSIGNMENT_CREATED, EventType.GROUP_ASSIGNMENT_DELETED


class AssignmentKey(NamedTuple):
    """Who holds which role in which group; ids, not keys."""

    tenant_id: int
    group_id: int
    user_id: int
    role_id: int


class MemberKey(NamedTuple):
    """A person in a group, with however many roles."""

    tenant_id: int
    group_id: int
    user_id: int


class Held(NamedTuple):
    """The state of one assignment row."""

    sources: Source
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """By how much a group's counts move."""

    users: int
    assignments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentChanges:
    """The net effect of a wave on the assignment tables."""

    created: Mapping[AssignmentKey, Held]
    changed: Mapping[AssignmentKey, Held]
    removed: frozenset[AssignmentKey]
    joined: frozenset[MemberKey]
    left: frozenset[MemberKey]
    counts: Mapping[tuple[int, int], GroupCounts]


@dataclass(slots=True)
class Names:
    """The upstream's keys of the ids that events name. Ids are unique across tenants."""

    groups: dict[int, str] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)


class Follower(Protocol):
    """Whoever acts on people's first and last roles in a group, as they come and go."""

    def join(self, member: MemberKey) -> None:
        """Somebody has their first role in a group."""

    def leave(self, member: MemberKey) -> None:
        """Somebody has lost their last role in a group."""


class AssignmentBook:
    """Assignments as they stand in the middle of a wave.

    It must know every role of each (group, user) that it is asked of.
    """

    def __init__(self, rows: Mapping[AssignmentKey, Held], names_of: Names, follower: Follower | None = None) -> None:
        self.names = names_of
        self.follower = follower
        self._rows = dict(rows)
        self._before: dict[AssignmentKey, Held | None] = {}
        self._roles: dict[MemberKey, int] = Counter(map(_member, rows))
        self._roles_before: dict[MemberKey, int] = {}
        # Made when it is first asked for: most waves ask of no person.
        self._of_user: dict[int, set[AssignmentKey]] | None = None
        self._new_rows: dict[tuple[Source, datetime], Held] = {}
        self._shown_groups: dict[int, str] = {}
        self._shown_roles: dict[int, str] = {}

    def get(self, key: AssignmentKey) -> Held | None:
        """The row as it stands, if it does."""
        return self._rows.get(key)

    def rows(self) -> list[AssignmentKey]:
        """All rows, in id order."""
        return sorted(self._rows)

    def of_user(self, user_id: int) -> list[AssignmentKey]:
        """What a person holds, in id order."""
        if self._of_user is None:
            self._of_user = {}
            for key in self._rows:
                self._of_user.setdefault(key.user_id, set()).add(key)
        return sorted(self._of_user.get(user_id, ()))

    def add(self, key: AssignmentKey, source: Source, at: datetime) -> tuple[Held, Event | None]:
        """Add a source; returns the row, and the event where the row is new."""
        old = self._rows.get(key)
        if old is None:
            # Most rows of a wave are made by one source, at its one instant.
            new = self._new_rows.get((source, at)) or self._new_rows.setdefault((source, at), Held(source, at))
            self._set(key, None, new)
            return new, self._event(_CREATED, key, new)
        new = Held(old.sources | source, old.created_at)
        if new != old:
            self._set(key, old, new)
        return new, None

    def withdraw(self, key: AssignmentKey, sources: Source) -> Event | None:
        """Take sources away; returns the event where the row went with its last one."""
        old = self._rows[key]
        left = old.sources & ~sources
        if left:
            if left != old.sources:
                self._set(key, old, Held(left, old.created_at))
            return None
        self._set(key, old, None)
        return self._event(_DELETED, key, old)

    def remove(self, keys: Iterable[AssignmentKey]) -> Iterator[Event]:
        """Remove rows whatever their sources; yields one event a row."""
        for key in keys:
            event = self.withdraw(key, self._rows[key].sources)
            if event is not None:
                yield event

    def changes(self) -> AssignmentChanges:
        """What the wave has changed, against what it found."""
        rows, found, roles = self._rows, self._before, self._roles
        created = {key: rows[key] for key, old in found.items() if old is None and key in rows}
        changed = {key: rows[key] for key, old in found.items() if old and key in rows and rows[key] != old}
        removed = frozenset(key for key, old in found.items() if old is not None and key not in rows)
        joined = frozenset(member for member, before in self._roles_before.items() if not before and roles[member])
        left = frozenset(member for member, before in self._roles_before.items() if before and not roles[member])
        counts = _counts(joined, left, created, removed)
        return AssignmentChanges(
            created=created, changed=changed, removed=removed, joined=joined, left=left, counts=counts
        )

    def _set(self, key: AssignmentKey, old: Held | None, row: Held | None) -> None:
        self._before.setdefault(key, old)
        if row is None:
            del self._rows[key]
            if self._of_user is not None:
                self._of_user[key.user_id].discard(key)
            self._count_role(_member(key), -1)
            return
        self._rows[key] = row
        if old is None:
            if self._of_user is not None:
                self._of_user.setdefault(key.user_id, set()).add(key)
            self._count_role(_member(key), 1)

    def _count_role(self, member: MemberKey, by: int) -> None:
        before = self._roles.get(member, 0)
        self._roles_before.setdefault(member, before)
        roles = self._roles[member] = before + by
        if self.follower is None:
            return
        if by > 0 and roles == 1:
            self.follower.join(member)
        elif by < 0 and not roles:
            self.follower.leave(member)

    def _event(self, event_type: EventType, key: AssignmentKey, row: Held) -> Event:
        names = self.names
        group, user, role = names.groups[key.group_id], names.users[key.user_id], names.roles[key.role_id]
        # A wave names few groups and roles, each of them often.
        shown_group = self._shown_groups.get(key.group_id) or _shown(self._shown_groups, key.group_id, group)
        shown_role = self._shown_roles.get(key.role_id) or _shown(self._shown_roles, key.role_id, role)
        data = assignment_data(shown_group, named(key.user_id, user), shown_role, row.sources)
        return Event(event_type, assignment_subject(group, user, role), data)


# The tenant and the group of a row or of a member.
_group: Callable[[AssignmentKey | MemberKey], tuple[int, int]] = itemgetter(0, 1)


def _member(key: AssignmentKey) -> MemberKey:
    return MemberKey(key.tenant_id, key.group_id, key.user_id)


def _shown(shown: dict[int, str], number: int, key: str) -> str:
    text = shown[number] = named(number, key)
    return text


def _counts(
    joined: Iterable[MemberKey],
    left: Iterable[MemberKey],
    created: Iterable[AssignmentKey],
    removed: Iterable[AssignmentKey],
) -> dict[tuple[int, int], GroupCounts]:
    users = Counter(map(_group, joined))
    users.subtract(map(_group, left))
    rows = Counter(map(_group, created))
    rows.subtract(map(_group, removed))
    return {
        group: GroupCounts(users=users[group], assignments=rows[group])
        for group in users.keys() | rows.keys()
        if users[group] or rows[group]
    }
