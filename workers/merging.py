"""Streams of rows in the order of their ids: summed up where an id returns, and two of them side by side."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

Row = Mapping[str, Any]


async def summed(rows: AsyncIterator[Row]) -> AsyncIterator[Row]:
    """One row for each run of rows with the same `id`; every other column is a number and is added up."""
    total: dict[str, int] | None = None
    async for row in rows:
        if total is not None and total["id"] == row["id"]:
            total = {name: value if name == "id" else total[name] + value for name, value in row.items()}
            continue
        if total is not None:
            yield total
        total = dict(row)
    if total is not None:
        yield total


async def side_by_side(
    left: AsyncIterator[Row], right: AsyncIterator[Row]
) -> AsyncIterator[tuple[Row | None, Row | None]]:
    """Pairs of the rows with the same `id`, each stream in id order; None where one of them has no such row."""
    one, other = await anext(left, None), await anext(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one["id"] < other["id"]):
            yield one, None
            one = await anext(left, None)
        elif one is None or other["id"] < one["id"]:
            yield None, other
            other = await anext(right, None)
        else:
            yield one, other
            one, other = await anext(left, None), await anext(right, None)
