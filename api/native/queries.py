"""The parameters of the native API's requests, as models; what is out of range is refused, never clamped."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.http.parameters import Flag, ReadQuery, Text, Whole, WriteQuery
from domain.audit import Action
from domain.commands import Kind
from domain.events import EventType
from domain.license_commands import LicenseKind, Shortage
from domain.outcomes import OperationStatus
from domain.sources import SourceName

LONGEST_PAGE = 500
MOST_EVENTS = 1000
_LARGEST_SEQUENCE = 2**63 - 1
_TYPES = {name: kind for kind in EventType for name in (kind.value, f"seatline.{kind.value}.v1")}


def _instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("wrong_form", "no instant") from None


def sequence_of(text: str) -> int | None:
    """The sequence that the text writes, zero-padded or not; None where it writes none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_SEQUENCE))):
        return None
    return int(text) if int(text) <= _LARGEST_SEQUENCE else None


def _sequence(value: object) -> object:
    sequence = sequence_of(value) if isinstance(value, str) else value
    if sequence is None:
        raise PydanticCustomError("wrong_form", "no sequence")
    return sequence


def _event_type(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in _TYPES:
        raise PydanticCustomError("unknown_value", "no type", {"limit": ", ".join(EventType)})
    return _TYPES[value]


Sequence = Annotated[int, BeforeValidator(_sequence)]
EventTypeName = Annotated[EventType, BeforeValidator(_event_type)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class ListQuery(ReadQuery):
    """A page of a list by keyset."""

    cursor: Text | None = Field(default=None, description="The `next_cursor` of the page before.")
    limit: Whole = Field(default=100, ge=1, le=LONGEST_PAGE, description="How many items a page holds at most.")


class UsersQuery(ListQuery):
    """Which people."""

    username: Text | None = Field(default=None, description="Exactly this one, without case.")
    email: Text | None = Field(default=None, description="Exactly this one, without case.")
    department: Text | None = Field(default=None, description="Exactly this one.")
    active: Flag | None = None
    group: Text | None = Field(default=None, description="Members of the group with this key.")


class GroupsQuery(ListQuery):
    """Which groups."""

    name: Text | None = Field(default=None, description="Exactly this one.")


class RolesQuery(ListQuery):
    """Which roles."""

    permission_scope: Text | None = Field(default=None, description="Exactly this one.")


class AssignmentsQuery(ListQuery):
    """Which assignments."""

    user: Text | None = Field(default=None, description="Of the user with this key.")
    group: Text | None = Field(default=None, description="In the group with this key.")
    source: SourceName | None = Field(default=None, description="With this one among their sources.")


class OperationsQuery(ListQuery):
    """Which operations."""

    status: list[OperationStatus] = Field(default=[], description="Any of these.")
    kind: list[Kind] = Field(default=[], description="Any of these.")
    since: Instant | None = Field(
        default=None, description="Accepted at this instant (ISO 8601; UTC unless it says otherwise) or later."
    )


class OpsListQuery(ListQuery):
    """A page of what operators look at."""

    limit: Whole = Field(default=50, ge=1, le=LONGEST_PAGE, description="How many items a page holds at most.")


class FoundOperationsQuery(OpsListQuery):
    """Which operations, of all tenants or of one."""

    id: Text | None = Field(default=None, description="The one with this id.")
    idempotency_key: Text | None = Field(default=None, description="Those accepted under this Idempotency-Key.")
    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")
    user: Text | None = Field(default=None, description="That name the user with this key; needs `tenant`.")
    group: Text | None = Field(default=None, description="That name the group with this key; needs `tenant`.")
    license: Text | None = Field(default=None, description="That name the licence with this key; needs `tenant`.")
    status: list[OperationStatus] = Field(default=[], description="Any of these.")
    kind: list[Kind] = Field(default=[], description="Any of these.")
    since: Instant | None = Field(default=None, description="Accepted at this instant or later.")
    until: Instant | None = Field(default=None, description="Accepted before this instant.")


class FoundOperationQuery(ReadQuery):
    """Which of the operation's outcomes are shown."""

    outcomes_after: Whole = Field(default=0, ge=0, description="How many of the first items are left out.")
    outcomes_limit: Whole = Field(default=100, ge=0, le=LONGEST_PAGE, description="How many are shown at most.")


class UnreadableQuery(ReadQuery):
    """How many of the first unreadable messages are shown."""

    limit: Whole = Field(default=50, ge=1, le=LONGEST_PAGE, description="How many at most.")


class ErrorsQuery(OpsListQuery):
    """Which errors."""

    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")


class DeadLettersQuery(OpsListQuery):
    """Which dead letters."""

    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")
    fingerprint: Text | None = Field(default=None, description="With this error.")
    code: Text | None = Field(default=None, description="Whose error has this code.")
    kind: Text | None = Field(default=None, description="Of this kind.")
    since: Instant | None = Field(default=None, description="That failed at this instant or later.")
    until: Instant | None = Field(default=None, description="That failed before this instant.")


class AuditQuery(OpsListQuery):
    """Which entries of the audit trail."""

    actor: Text | None = Field(default=None, description="A token's id or name, or `command line`.")
    action: list[Action] = Field(default=[], description="Any of these.")
    tenant: Text | None = Field(default=None, description="About the tenant with this key.")
    since: Instant | None = Field(default=None, description="Written at this instant or later.")


class EventsQuery(ReadQuery):
    """Which events."""

    after: Sequence | None = Field(
        default=None, description="The last sequence the caller has, zero-padded or not; absent: from the earliest."
    )
    types: list[EventTypeName] = Field(
        default=[], description="Only these, such as `group.updated` or `seatline.group.updated.v1`."
    )
    limit: Whole = Field(default=100, ge=1, le=MOST_EVENTS, description="How many events a page holds at most.")


class LicensesQuery(ListQuery):
    """Which licences."""

    kind: LicenseKind | None = None
    active: Flag | None = None
    name: Text | None = Field(default=None, description="Exactly this one.")
    code: Text | None = Field(default=None, description="Exactly this bundle code.")
    program_key: Text | None = Field(default=None, description="Exactly this one.")


class EntitlementsQuery(ListQuery):
    """Which entitlements."""

    user: Text | None = Field(default=None, description="Of the user with this key.")
    license: Text | None = Field(default=None, description="Of the licence with this key.")
    group: Text | None = Field(default=None, description="That the group with this key gives.")
    state: Literal["active", "waiting", "suspended"] | None = None


class BatchQuery(WriteQuery):
    """How a batch is meant."""

    dry_run: Flag = Field(default=False, description="Answer as if, and change nothing.")


class SeatsQuery(BatchQuery):
    """How a batch of licence assignments is meant."""

    shortage: Shortage | None = Field(
        default=None, description="What becomes of those for whom no seat is free; may stand in the body instead."
    )


class DeleteQuery(WriteQuery):
    """How far a deletion goes."""

    cascade: Flag = Field(default=False, description="Delete what is in use too, with its assignments.")


class TokensQuery(ListQuery):
    """Which tokens."""

    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")
    operator: Flag = Field(default=False, description="Only operators' tokens.")
