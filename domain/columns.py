"""Rows of one shape as JSON columns and back: a column that says the same in every row says it once.

One rule: rows of many shapes stay objects; a document has `rows` and `columns`, or `items`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from domain.errors import JSON


def folded(column: Sequence[Any]) -> list[Any]:
    """The values of a column, or the only one that stands in all its rows.

    It has at least one row, and values of one type: of what is equal the first is kept.
    """
    return [column[0]] if column.count(column[0]) == len(column) else list(column)


def written(rows: int, **columns: list[JSON]) -> dict[str, JSON]:
    """The document of so many rows with these columns, each of them `folded`."""
    return {"rows": rows, "columns": dict[str, JSON](columns)}


def has_columns(document: Mapping[str, Any]) -> bool:
    """Whether `written` made it."""
    return "columns" in document


def columns_of(document: Mapping[str, Any], *names: str) -> list[Iterator[Any]]:
    """The values of these columns, one for each row.

    Raises:
        KeyError: a column is missing.
        TypeError: a column is no list.
        ValueError: a column has neither one value nor one for each row.
    """
    rows, columns = document["rows"], document["columns"]
    return [_unfolded(columns[name], rows) for name in names]


def rows_of(document: Mapping[str, Any], *names: str) -> Iterator[tuple[Any, ...]]:
    """The rows, of these columns in this order; raises as `columns_of`."""
    return zip(*columns_of(document, *names), strict=True)


def itemized(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with an object for each row in `items`; one that has no columns as it is."""
    if not has_columns(document):
        return dict(document)
    names = tuple(document["columns"])
    items = [dict(zip(names, row, strict=True)) for row in rows_of(document, *names)]
    return {"items": items} | {name: value for name, value in document.items() if name not in {"rows", "columns"}}


def _unfolded(column: Any, rows: int) -> Iterator[Any]:
    if not isinstance(column, list):
        raise TypeError("a column is no list")
    if len(column) not in {1, rows}:
        raise ValueError(f"a column of {len(column)} in {rows} rows")
    return repeat(column[0], rows) if len(column) == 1 else iter(column)
