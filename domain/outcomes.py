"""What became of each item of a command: a closed set, stored with the operation as a neutral document.

No door's words stand here: a door turns the document into its own status and body, the same way every time.
What is made once per item is a NamedTuple: a frozen dataclass takes twice as long to make.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, unique
from functools import lru_cache
from typing import Any, NamedTuple, cast

from domain.columns import folded, has_columns, rows_of, written
from domain.errors import JSON, Refusal


@unique
class OperationStatus(StrEnum):
    """The states of an operation; QUEUED and RUNNING are open, the others final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """An open operation still has work to do."""
        return self in {OperationStatus.QUEUED, OperationStatus.RUNNING}


class Person(NamedTuple):
    """A user as far as assignments care, and as they show them at the moment they are made; `id` is never shown."""

    id: int
    key: str
    active: bool
    first_name: str = ""
    last_name: str = ""
    department: str = ""


class Assigned(NamedTuple):
    """The assignment exists now; `sources` are its names, strongest first."""

    group: str
    user: Person
    role: str
    sources: Sequence[str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """The assignment, or the one source that was named, is gone."""

    group: str
    user: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A user, group or role is as it was asked to be."""

    key: str
    id: int
    created: bool
    user_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A user, group or role is gone."""

    key: str
    id: int


class Reported(NamedTuple):
    """What became of a licence, a seat or a grant: `outcome` names which, `body` is the object as it is now."""

    outcome: str
    body: Mapping[str, JSON]


Outcome = Assigned | Unassigned | Stored | Deleted | Reported | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a handler returns for one command: one outcome per item, in order, and the role titles they name."""

    outcomes: Sequence[Outcome]
    titles: Mapping[str, Mapping[str, str]]

    @property
    def status(self) -> OperationStatus:
        """The operation's final state: refused items alone make it rejected."""
        refused = sum(isinstance(outcome, Refusal) for outcome in self.outcomes)
        if not refused:
            return OperationStatus.SUCCEEDED
        return OperationStatus.REJECTED if refused == len(self.outcomes) else OperationStatus.PARTIALLY_SUCCEEDED


class AssignedRow(NamedTuple):
    """An assignment that was made, as its answer shows it; `created_at` is text, as `timestamp` writes it."""

    group: str
    user: str
    first_name: str
    last_name: str
    department: str
    active: bool
    role: str
    sources: Sequence[str]
    created_at: str

    @classmethod
    def of(cls, outcome: Mapping[str, Any]) -> "AssignedRow":
        """Of a stored item whose outcome is `assigned`."""
        user = outcome["user"]
        return cls(
            outcome["group"],
            user["key"],
            user["first_name"],
            user["last_name"],
            user["department"],
            user["active"],
            outcome["role"],
            outcome["sources"],
            outcome["created_at"],
        )


def document(result: Result) -> dict[str, JSON]:
    """The result as it is stored: `{"items": [{"outcome": …}, …], "titles": {role: {language: title}}}`.

    Where every item has become an assignment, they are the columns of `AssignedRow` instead (`domain/columns.py`).
    """
    if set(map(type, result.outcomes)) == {Assigned}:
        body = _columns(cast("Sequence[Assigned]", result.outcomes))
    else:
        body = {"items": [_item(outcome) for outcome in result.outcomes]}
    if result.titles:
        body["titles"] = {role: dict(titles) for role, titles in result.titles.items()}
    return body


def assigned_in(response: Mapping[str, Any]) -> Iterator[AssignedRow] | None:
    """The assignments that all items of this stored result have become; None where it is not stored in columns."""
    return map(AssignedRow._make, rows_of(response, *AssignedRow._fields)) if has_columns(response) else None


def outcomes_in(response: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The outcomes of a stored result, an object for each item."""
    assigned = assigned_in(response)
    if assigned is None:
        items: Sequence[Mapping[str, Any]] = response["items"]
        return items
    return [_shown_item(one) for one in assigned]


def _columns(outcomes: Sequence[Assigned]) -> dict[str, JSON]:
    groups, people, roles, sources, moments = zip(*outcomes, strict=True)
    _, keys, actives, first_names, last_names, departments = zip(*people, strict=True)
    return written(
        len(outcomes),
        group=folded(groups),
        user=folded(keys),
        first_name=folded(first_names),
        last_name=folded(last_names),
        department=folded(departments),
        active=folded(actives),
        role=folded(roles),
        sources=[list(names) for names in folded(sources)],
        created_at=[timestamp(at) for at in folded(moments)],
    )


def _shown(outcome: Assigned) -> AssignedRow:
    group, (_, key, active, first_name, last_name, department), role, sources, at = outcome
    return AssignedRow(group, key, first_name, last_name, department, active, role, sources, timestamp(at))


def _shown_item(one: AssignedRow) -> dict[str, JSON]:
    return {
        "outcome": "assigned",
        "group": one.group,
        "user": {
            "key": one.user,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "department": one.department,
            "active": one.active,
        },
        "role": one.role,
        "sources": list(one.sources),
        "created_at": one.created_at,
    }


def _item(outcome: Outcome) -> JSON:
    match outcome:
        case Assigned():
            return _shown_item(_shown(outcome))
        case Unassigned(group=group, user=user_key, role=role):
            return {"outcome": "unassigned", "group": group, "user": user_key, "role": role}
        case Stored(key=key, id=number, created=created, user_count=user_count):
            stored: dict[str, JSON] = {
                "outcome": "created" if created else "replaced",
                "key": key,
                "id": number,
            }
            if user_count is not None:
                stored["user_count"] = user_count
            return stored
        case Deleted(key=key, id=number):
            return {"outcome": "deleted", "key": key, "id": number}
        case Reported(outcome=name, body=shown):
            return {"outcome": name, **shown}
        case Refusal(code=code, field=field, details=details):
            refused: dict[str, JSON] = {"outcome": "refused", "code": str(code)}
            if field is not None:
                refused["field"] = field
            if details:
                refused["details"] = dict(details)
            return refused


# What one pass writes is mostly of one moment.
@lru_cache(maxsize=64)
def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and a Z, as every door and every event writes instants."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
