"""`seatline export KIND [FILE]`: a tenant's data as CSV, read through the public API a page at a time.

One rule: what it writes, `seatline import` reads; a file appears under its name only when it is complete.
"""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from workers.cli.bars import bar
from workers.cli.public_api import CallError, PublicApi
from workers.cli.tables import TABLES, Table
from workers.cli.tenant_api import Door, door_options, tenant_api

PAGE = 500
LINE_END = "\r\n"
"""As RFC 4180 has it; the writer quotes a cell only for characters of the line end, so both must be in it."""

STANDARD_OUTPUT = Path("-")


@click.command()
@click.argument("kind", type=click.Choice(list(TABLES)))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=STANDARD_OUTPUT)
@door_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document about it; needs a FILE.")
def export(kind: str, file: Path, *, door: Door, as_json: bool) -> None:
    """Write all of a kind to FILE, or to standard output, in the columns that `import` takes.

    What changes meanwhile is written as it is when its page is read.
    """
    if as_json and file == STANDARD_OUTPUT:
        raise click.UsageError("--json needs a FILE: standard output holds the rows")
    table = TABLES[kind]
    try:
        with tenant_api(door, [f"{table.scope}:read", "operations:read"]) as api, _opened(file) as text:
            rows = _write(api, table, text, title=f"exporting {kind}")
    except CallError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"rows": rows, "file": str(file)}))
    else:
        click.echo(f"{rows:,} rows", err=True)


def _write(api: PublicApi, table: Table, text: TextIO, *, title: str) -> int:
    writer = csv.writer(text, lineterminator=LINE_END)
    writer.writerow(table.names)
    count = 0
    with bar(title, None) as advance:
        for shown in _listed(api, table.listed):
            rows = [table.row(row) for row in table.rows_of(shown)]
            writer.writerows(rows)
            count += len(rows)
            advance(len(rows))
    return count


def _listed(api: PublicApi, path: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = api.get(f"{path}?limit={PAGE}{cursor and f'&cursor={cursor}'}")
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = page["next_cursor"]


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    if file == STANDARD_OUTPUT:
        yield sys.stdout
        return
    part = file.with_name(f"{file.name}.part")
    with part.open("w", encoding="utf-8", newline="") as text:
        yield text
    part.replace(file)
