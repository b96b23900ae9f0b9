"""The rows and the log of one modelled tenant, in plain dictionaries: what tests/support/model.py decides upon.

Ids and instants, which only the engine can choose, are `Unknown`s; tests/support/matching.py binds each to the first
value that it meets.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STRONGEST_FIRST = ["PRIMARY", "RULE", "SCIM", "MANUAL"]
EVENT_ORDER = [
    "user.updated", "group.updated", "license.updated", "group_assignment.created", "group_assignment.deleted",
    "entitlement.revoked", "entitlement.waiting", "entitlement.granted", "license_assignment.updated",
    "group_license.updated", "license.utilisation", "license.exhausted", "license.available", "user.deleted",
    "group.deleted", "operation.finished",
]  # fmt: skip
MEMBER_TITLES = {"en": "Member", "de": "Mitglied", "fr": "Membre"}

Document = dict[str, Any]
Place = tuple[str, str, str]


@dataclass(frozen=True, order=True)
class Unknown:
    """A value that the engine chooses: an id, by the order in which ids were given, or an operation's instant."""

    kind: str
    name: Any


@dataclass(frozen=True)
class Written:
    """A text that names values which the engine chooses."""

    parts: tuple[Any, ...]


class ModelRows:
    """One tenant's tables, by keys; assignments by (group, user, role). `events` is its log from the beginning.

    Rows of licences that have no key are kept by their ids: `grants` of licences to groups, and `entitlements`.
    """

    def __init__(self, find: Callable[[str, int], Unknown | None] = lambda _kind, _number: None) -> None:
        """`find` tells which id a number is, since some commands name rows by the numbers that the engine chose."""
        self.users: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.roles: dict[str, Document] = {}
        self.held: dict[Place, Document] = {}
        self.licenses: dict[str, Document] = {}
        self.grants: dict[Unknown, Document] = {}
        self.entitlements: dict[Unknown, Document] = {}
        self.events: list[Document] = []
        self._last: dict[str, int] = {}  # by type, where its last event stands
        self._find = find
        self._said: list[Document] = []
        self._births = 0
        self._turn = 0
        self._operation = ""
        self._now = datetime.min.replace(tzinfo=UTC)
        self._dry = False
        self._started: set[str] = set()
        self._gone: list[str] = []  # groups that this operation has deleted
        self.roles["member"] = self._born("role", permission_scope="USER_GROUPS", titles=MEMBER_TITLES, descriptions={})

    def state(self) -> Document:
        """Everything that the tables hold of this tenant's directory."""
        return {
            "users": self.users,
            "groups": {key: self._counted(key, group) for key, group in self.groups.items()},
            "roles": self.roles,
            "assignments": self.held,
            "members": self._members(),
        }

    def _members(self) -> set[tuple[str, str]]:
        return {(group, user) for group, user, _ in self.held}

    def _counted(self, key: str, group: Document) -> Document:
        rows = [row for row in self.held if row[0] == key]
        return {**group, "user_count": len({user for _, user, _ in rows}), "assignment_count": len(rows)}

    def _give(self, row: Place, source: str) -> Document:
        old = self.held.get(row)
        sources = [*(old["sources"] if old else []), source]
        held = {
            "sources": [name for name in STRONGEST_FIRST if name in sources],
            "created_at": old["created_at"] if old else self._instant(),
        }
        self.held[row] = held
        if old is None:
            self._say_assignment("created", row, held["sources"])
        return held

    def _take(self, row: Place, sources: Iterable[str]) -> None:
        held = self.held[row]
        left = [name for name in held["sources"] if name not in sources]
        if left:
            self.held[row] = {**held, "sources": left}
            return
        del self.held[row]
        self._say_assignment("deleted", row, held["sources"])

    def _remove_all(self, rows: Iterable[Place]) -> None:
        """Rows that go together go in the order in which their groups, then people, then roles came to be."""
        born = (self.groups, self.users, self.roles)
        for row in sorted(rows, key=lambda row: [kind[key]["id"] for kind, key in zip(born, row, strict=True)]):
            self._take(row, STRONGEST_FIRST)

    def _born(self, kind: str, **fields: Any) -> Document:
        return {"id": self._fresh(kind), **fields}

    def _fresh(self, kind: str) -> Unknown:
        # What is born in a dry run never lives, so its id is nobody else's.
        self._births += 1
        return Unknown(kind, (self._births, self._operation if self._dry else ""))

    def _instant(self) -> Unknown:
        return Unknown("at", self._operation)

    def _say_assignment(self, what: str, row: Place, sources: list[str]) -> None:
        group, user, role = row
        data = {
            "group": {"id": self.groups[group]["id"], "key": group},
            "user": {"id": self.users[user]["id"], "key": user},
            "role": {"id": self.roles[role]["id"], "key": role},
            "sources": sources,
        }
        self._say(f"group_assignment.{what}", f"groups/{group}/users/{user}/roles/{role}", data)

    def _say(self, event_type: str, subject: str | Written, data: Document) -> None:
        self._said.append({"type": event_type, "subject": subject, "data": data})

    def _number(self) -> None:
        for event in _announced(self._said):
            place = {"sequence": len(self.events) + 1, "previous": self._last.get(event["type"], 0)}
            self.events.append({**event, **place, "operation": self._operation})
            self._last[event["type"]] = len(self.events)


def refused(code: str, field: str | None = None, /, **details: Any) -> Document:
    """The outcome of an item that was refused."""
    document: Document = {"outcome": "refused", "code": code}
    return document | ({"field": field} if field else {}) | ({"details": details} if details else {})


def _announced(said: list[Document]) -> list[Document]:
    """By type, but never past an earlier event of another type about the same subject."""
    runs: list[list[Document]] = [[]]
    for event in said:
        if any(event["subject"] == other["subject"] and event["type"] != other["type"] for other in runs[-1]):
            runs.append([])
        runs[-1].append(event)
    return [event for run in runs for event in sorted(run, key=lambda event: EVENT_ORDER.index(event["type"]))]
