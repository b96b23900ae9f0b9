"""One page of a list by keyset: the items, and the place behind which the next page begins.

One rule: a page reads a bounded window of an index; with a filter it may hold fewer items than asked, even none,
while more follow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from infra.postgres.database import Row

Item = TypeVar("Item")
Place = tuple[int, ...]

# Rows that a filtered page looks at before it gives up for this time: about 10 ms of an index scan.
WINDOW = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Items in order. `next` is None on the last page."""

    items: Sequence[Item]
    next: Place | None


def window_for(limit: int, *filters: object) -> int:
    """How many rows to walk: without filters one more than asked shows whether there are more."""
    return limit + 1 if all(condition is None for condition in filters) else WINDOW


def cut(rows: Sequence[Row], *, limit: int, window: int, read: Callable[[Row], Item]) -> Page[Item]:
    """The page in rows that carry the walk's `scanned` and `last` and, where one matched, an item and its `place`."""
    matched = [row for row in rows if row["place"] is not None]
    items = [read(row) for row in matched[:limit]]
    if len(matched) > limit:
        return Page(items=items, next=tuple(matched[limit - 1]["place"]))
    walked_to_the_end = rows[0]["scanned"] < window
    return Page(items=items, next=None if walked_to_the_end else tuple(rows[0]["last"]))
