"""What every planner has in common: a command in its place, what was decided of it, and the order of its events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from domain.commands import Command
from domain.errors import ErrorCode, Refusal
from domain.events import ORDER, Event, EventType, Told
from domain.items import InvalidItem
from domain.outcomes import Result

C_co = TypeVar("C_co", bound=Command, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Generic[C_co]):
    """One command of one tenant, in accept order within its wave."""

    tenant_id: int
    operation_id: UUID
    seq: int
    command: C_co


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Events of an earlier operation that still runs: a later command has touched someone it had not come to yet."""

    operation_id: UUID
    events: Sequence[Told]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided of one command: one outcome per item, and the events in the order they are announced.

    `reached` is announced before them. With `done` below `total` the command goes on in chunks; a `total` of 0 counts
    the items.
    """

    result: Result
    events: Sequence[Told]
    reached: Sequence[Reached] = ()
    done: int = 0
    total: int = 0


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events of one operation by type, those of one type by item; where a subject returns, a new run begins.

    What is taken away and given again (or the reverse) is thus announced as it happened, and whoever applies the
    events in their order ends where the operation ended.
    """
    listed = list(events)
    if len({event.type for event in listed}) <= 1:
        return listed
    ordered: list[Event] = []
    begin, seen = 0, dict[str, EventType]()
    for place, event in enumerate(listed):
        if seen.setdefault(event.subject, event.type) is not event.type:
            ordered += _by_type(listed[begin:place])
            begin, seen = place, {event.subject: event.type}
    return ordered + _by_type(listed[begin:])


def _by_type(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: ORDER[event.type])


def refusal_of(item: InvalidItem) -> Refusal:
    """The outcome of an item whose form the door refused."""
    return Refusal(code=ErrorCode.INVALID_ITEM, field=item.field, details={"reason": item.reason})
