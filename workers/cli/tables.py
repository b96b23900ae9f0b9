"""What can be imported and exported: for each kind its columns, how a row becomes an item, and an object rows.

One rule: columns are called as the API calls the fields, and what an export writes an import reads. An empty cell is a
field that is not sent, so that it takes its default.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import Any

JsonObject = Mapping[str, Any]

ASSIGNMENT_EXISTS = "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


class CellError(ValueError):
    """A cell does not say what its column holds; `column` names it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@unique
class Holds(Enum):
    """What a column's cells hold."""

    TEXT = auto()
    FLAG = auto()
    NUMBER = auto()
    JSON = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `sent_empty`: an empty cell is sent as null, because the API wants to be told."""

    name: str
    holds: Holds = Holds.TEXT
    required: bool = False
    sent_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of rows: the call that takes them, the list that gives them, and the scopes that both need."""

    batch: str
    listed: str
    scope: str
    columns: Sequence[Column]
    subject: Sequence[str]
    with_each: JsonObject
    rows_of: Callable[[JsonObject], Iterator[JsonObject]]
    found: str = "replaced"  # what a row has come to where the API says 200: it was there before
    unchanged: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the order in which an export writes them."""
        return tuple(column.name for column in self.columns)

    def item(self, cells: Mapping[str, str]) -> dict[str, Any]:
        """The item of a batch that the cells of a row make.

        Raises:
            CellError: a cell is empty that must not be, or holds something else than its column.
        """
        item = dict(self.with_each)
        for column in self.columns:
            text = cells.get(column.name, "")
            if text:
                item[column.name] = _value(column, text)
            elif column.required:
                raise CellError(column.name, "must not be empty")
            elif column.sent_empty:
                item[column.name] = None
        return item

    def row(self, shown: JsonObject) -> list[str]:
        """The cells of one row, from its values by column."""
        return [_cell(column, shown.get(column.name)) for column in self.columns]


def _value(column: Column, text: str) -> object:
    match column.holds:
        case Holds.FLAG:
            if text.lower() not in _TRUE | _FALSE:
                raise CellError(column.name, f"{text!r} is neither true nor false")
            return text.lower() in _TRUE
        case Holds.NUMBER:
            if not (text.isascii() and text.isdigit()):
                raise CellError(column.name, f"{text!r} is no whole number")
            return int(text)
        case Holds.JSON:
            try:
                return json.loads(text)
            except ValueError as error:
                raise CellError(column.name, f"no JSON: {error}") from None
        case _:
            return text


def _cell(column: Column, value: object) -> str:
    if value is None or value == {}:
        return ""
    match column.holds:
        case Holds.FLAG:
            return "true" if value else "false"
        case Holds.JSON:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(value)


def _itself(shown: JsonObject) -> Iterator[JsonObject]:
    yield shown


def _by_source(assignment: JsonObject) -> Iterator[JsonObject]:
    """One row a source; PRIMARY follows the users' own primary_group and cannot be assigned."""
    for source in assignment["sources"]:
        if source != "PRIMARY":
            yield {**assignment, "source": source}


def _direct(entitlement: JsonObject) -> Iterator[JsonObject]:
    """What a person has been assigned themselves; what groups give follows from the groups."""
    if entitlement["state"] != "suspended" and any(source["type"] == "direct" for source in entitlement["sources"]):
        user = entitlement["user"]
        yield {
            "license": entitlement["license"]["key"],
            "user": None if user is None else user["key"],
            "email": entitlement.get("email"),
        }


_KEY = Column(name="key", required=True)
_NAME = Column(name="name", required=True)
_ACTIVE = Column(name="active", holds=Holds.FLAG)

TABLES: Mapping[str, Table] = {
    "users": Table(
        batch="/v1/users:batch",
        listed="/v1/users",
        scope="directory",
        columns=(
            _KEY,
            Column(name="username", required=True),
            Column(name="email"),
            Column(name="first_name"),
            Column(name="last_name"),
            Column(name="department"),
            _ACTIVE,
            Column(name="attributes", holds=Holds.JSON),
            Column(name="primary_group"),
        ),
        subject=("key",),
        with_each={},
        rows_of=_itself,
    ),
    "groups": Table(
        batch="/v1/groups:batch",
        listed="/v1/groups",
        scope="directory",
        columns=(_KEY, _NAME),
        subject=("key",),
        with_each={},
        rows_of=_itself,
    ),
    "roles": Table(
        batch="/v1/roles:batch",
        listed="/v1/roles",
        scope="directory",
        columns=(
            _KEY,
            Column(name="permission_scope", required=True),
            Column(name="titles", holds=Holds.JSON, required=True),
            Column(name="descriptions", holds=Holds.JSON),
        ),
        subject=("key",),
        with_each={},
        rows_of=_itself,
    ),
    "assignments": Table(
        batch="/v1/group-assignments:batch",
        listed="/v1/group-assignments",
        scope="groups",
        columns=(
            Column(name="group_id", required=True),
            Column(name="user_id", required=True),
            Column(name="role_id", required=True),
            Column(name="source"),
        ),
        subject=("group_id", "user_id", "role_id"),
        with_each={"op": "assign"},
        rows_of=_by_source,
        unchanged=frozenset({ASSIGNMENT_EXISTS}),
    ),
    "licenses": Table(
        batch="/v1/licenses:batch",
        listed="/v1/licenses",
        scope="licenses",
        columns=(
            _KEY,
            _NAME,
            Column(name="kind", required=True),
            Column(name="capacity", holds=Holds.NUMBER, sent_empty=True),
            Column(name="code"),
            Column(name="program_key"),
            Column(name="program_name"),
            Column(name="starts_at"),
            Column(name="expires_at"),
            _ACTIVE,
        ),
        subject=("key",),
        with_each={},
        rows_of=_itself,
    ),
    "license-assignments": Table(
        batch="/v1/license-assignments:batch",
        listed="/v1/entitlements",
        scope="licenses",
        columns=(Column(name="license", required=True), Column(name="user"), Column(name="email")),
        subject=("license", "user", "email"),
        with_each={"op": "assign"},
        rows_of=_direct,
        found="unchanged",
    ),
}
