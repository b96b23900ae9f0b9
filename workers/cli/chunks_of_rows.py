"""Reads a CSV file as chunks of rows, one chunk at a time, with the place of each row in the file.

One rule: the same file gives the same chunks every time, so that a chunk's digest is its name for good.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

import click

from workers.cli.tables import Table

MOST_ROWS = 1_000
"""What a batch of the native API holds at most."""

MOST_BYTES = 750_000
"""Of the cells of one chunk: with the names of a thousand items' fields its body stays below the API's 1 MiB."""

_DELIMITERS = ",;\t"


class Row(NamedTuple):
    """One row; `number` is its line in a spreadsheet, where the header is 1. `torn` says why its cells mean nothing."""

    number: int
    cells: Mapping[str, str]
    torn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows that go into one call. `digest` names their place and content, `position` is how far the file is read."""

    rows: Sequence[Row]
    digest: str
    position: int


def chunks(path: Path, table: Table, *, salt: str) -> Iterator[Chunk]:
    """The file's rows in order, in chunks of at most a batch; `salt` tells imports of the same file apart.

    The delimiter is the comma, the semicolon or the tabulator, whichever the header has most of.

    Raises:
        click.ClickException: the file is no CSV of this table; the message names row and column.
    """
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        try:
            yield from _chunks(raw, text, table, salt)
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{path} is not UTF-8: {error.reason} near byte {raw.tell():,}") from error


def _chunks(raw: BinaryIO, text: TextIO, table: Table, salt: str) -> Iterator[Chunk]:
    first = text.readline()
    delimiter = max(_DELIMITERS, key=first.count)
    header = _checked(next(csv.reader([first], delimiter=delimiter), []), table)
    rows: list[Row] = []
    size, ordinal = 0, 0
    for row in _rows(text, header, delimiter):
        length = sum(map(_bytes, row.cells.values()))
        if rows and (len(rows) == MOST_ROWS or size + length > MOST_BYTES):
            yield _chunk(rows, ordinal, salt, raw.tell())
            rows, size, ordinal = [], 0, ordinal + 1
        rows.append(row)
        size += length
    if rows:
        yield _chunk(rows, ordinal, salt, raw.tell())


def _rows(text: TextIO, header: Sequence[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 1
    try:
        for number, cells in enumerate(reader, 2):
            if not cells:
                continue
            torn = "" if len(cells) == len(header) else f"{len(cells)} cells where the header has {len(header)}"
            yield Row(number, dict(zip(header, cells, strict=False)), torn)
    except csv.Error as error:
        raise click.ClickException(f"row {number + 1} is no CSV: {error}") from error


def _checked(header: Sequence[str], table: Table) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    known = ", ".join(table.names)
    for place, name in enumerate(names, 1):
        if name not in table.names:
            raise click.ClickException(f"row 1, column {place}: {name!r} is none of the columns {known}")
        if names.count(name) > 1:
            raise click.ClickException(f"row 1: the column {name} stands twice")
    missing = [column.name for column in table.columns if column.required and column.name not in names]
    if missing:
        raise click.ClickException(f"row 1: the column {missing[0]} is missing; the columns are {known}")
    return names


def _bytes(cell: str) -> int:
    return len(cell) if cell.isascii() else len(cell.encode())


def _chunk(rows: Sequence[Row], ordinal: int, salt: str, position: int) -> Chunk:
    digest = hashlib.sha256(f"{salt}\0{ordinal}".encode())
    for row in rows:
        digest.update("\0".join((str(row.number), *(f"{k}={v}" for k, v in row.cells.items()))).encode())
        digest.update(b"\n")
    return Chunk(rows=rows, digest=digest.hexdigest()[:32], position=position)
