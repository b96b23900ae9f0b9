"""Decides of each event of a tenant whether it is the next one, a repetition, or shows that something is missing.

One rule: nothing is taken twice, and nothing is taken past a gap that the log could still fill.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto, unique


@unique
class Place(Enum):
    """Where an event stands, seen from the last one taken."""

    NEXT = auto()
    REPEATED = auto()
    BEYOND_A_GAP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What an event says of its place: `previous` is the tenant's last sequence of the same type, 0 for none."""

    type: str
    sequence: int
    previous: int


class Continuity:
    """Follows one tenant's log, or some types of it.

    All types: the predecessor of an event is its sequence less one. Some types: it is `previous`, and each type is
    followed for itself. Without `after` the first event seen is where following begins.
    """

    def __init__(self, *, types: Collection[str] = (), after: int | None = None) -> None:
        self._types = frozenset(types)
        self._after = after
        self._last: dict[str, int] = {}

    def judge(self, mark: Mark) -> Place:
        """Where the event stands; nothing is remembered."""
        last = self.last(mark.type)
        if last is None:
            return Place.NEXT
        if mark.sequence <= last:
            return Place.REPEATED
        predecessor = mark.previous if self._types else mark.sequence - 1
        return Place.NEXT if predecessor <= last else Place.BEYOND_A_GAP

    def take(self, mark: Mark) -> None:
        """Remember the event as the last one taken."""
        self._last[self._key(mark.type)] = mark.sequence

    def skip_to(self, sequence: int) -> None:
        """Give up whatever lies at or before the sequence: the log no longer has it."""
        self._after = max(sequence, self._after or 0)
        self._last = {key: max(sequence, last) for key, last in self._last.items()}

    def last(self, event_type: str) -> int | None:
        """After which sequence the events of this type are still to come; None before the first."""
        return self._last.get(self._key(event_type), self._after)

    def first_missing_after(self) -> int | None:
        """After which sequence anything at all may still be to come; None when nothing has been seen yet."""
        keys = self._types or {""}
        known = [last for key in keys if (last := self._last.get(key, self._after)) is not None]
        return min(known) if known else None

    def _key(self, event_type: str) -> str:
        return event_type if self._types else ""
