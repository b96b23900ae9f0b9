"""`seatline import KIND FILE.csv`: sends a file's rows through the public API, and writes what became of each.

One rule: a chunk of rows is one call under a key made of its content, so that whatever is sent again is answered again
and applied once.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click

from workers.cli.bars import bar
from workers.cli.chunks_of_rows import Chunk, Row, chunks
from workers.cli.public_api import Answered, CallError, PublicApi
from workers.cli.results import Results, RowResult
from workers.cli.tables import TABLES, CellError, Table
from workers.cli.tenant_api import Door, door_options, tenant_api

CREATED, INVALID, REFUSED, UNCHANGED = "created", "invalid", "refused", "unchanged"
_FAILED = frozenset({INVALID, REFUSED})


@dataclass(slots=True, kw_only=True)
class Summary:
    """What an import has come to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    resumed: int = 0  # rows that an earlier run of the same command had done
    replayed: int = 0  # rows that the service had been sent before, and answered again
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """How many rows were not applied."""
        return sum(count for outcome, count in self.outcomes.items() if outcome in _FAILED)


@click.command()
@click.argument("kind", type=click.Choice(list(TABLES)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@door_options
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), help="Default: FILE.results.csv.")
@click.option("--run", "run_name", default="", metavar="NAME", help="Apply a file again that was imported before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def import_file(kind: str, file: Path, results: Path | None, run_name: str, *, door: Door, as_json: bool) -> None:
    """Import the rows of FILE; one that is refused does not stop the others.

    What becomes of each row is written to the results file. Stopped, the same command goes on where it was; the same
    rows sent again are answered as the first time and applied once. Exit code 1 where a row was not applied.
    """
    table = TABLES[kind]
    path = results or file.with_name(f"{file.name}.results.csv")
    with tenant_api(door, [f"{table.scope}:write", "operations:read"]) as api:
        summary = import_rows(api, table, file, path, salt="\0".join((kind, door.url or "", door.tenant, run_name)))
    if as_json:
        click.echo(json.dumps(_document(summary, path)))
    else:
        click.echo(_told(summary, path))
    sys.exit(1 if summary.failed else 0)


def import_rows(api: PublicApi, table: Table, file: Path, path: Path, *, salt: str) -> Summary:
    """Send the file's rows and write the results to `path`; what it holds already of these rows is not sent again.

    Raises:
        click.ClickException: the file is no CSV of this table, or the service refused or did not answer.
    """
    began, summary, last = time.monotonic(), Summary(), 1
    try:
        with Results.opened(path) as results, bar(f"importing {file.name}", file.stat().st_size) as advance:
            position = 0
            for chunk in chunks(file, table, salt=salt):
                _take(api, table, chunk, results, summary)
                advance(chunk.position - position)
                position, last = chunk.position, chunk.rows[-1].number
            results.end()
    except (CallError, KeyboardInterrupt) as error:
        reason = str(error) or "interrupted"
        raise click.ClickException(
            f"{reason}\nstopped after row {last}; the same command goes on from there"
        ) from error
    summary.seconds = time.monotonic() - began
    return summary


def _take(api: PublicApi, table: Table, chunk: Chunk, results: Results, summary: Summary) -> None:
    done = results.done(chunk)
    if done is not None:
        summary.outcomes.update(done)
        summary.resumed += len(done)
        return
    found = list(_results(api, table, chunk, summary))
    results.write(chunk, found)
    summary.outcomes.update(result.outcome for result in found)


def _results(api: PublicApi, table: Table, chunk: Chunk, summary: Summary) -> Iterator[RowResult]:
    """What becomes of each row of a chunk, in order; rows that make no item are not sent."""
    made = [_made(table, row) for row in chunk.rows]
    answered = iter(_sent(api, table, [item for item in made if isinstance(item, dict)], chunk.digest, summary))
    for row, item in zip(chunk.rows, made, strict=True):
        yield _result(table, row, next(answered)) if isinstance(item, dict) else item


def _made(table: Table, row: Row) -> dict[str, Any] | RowResult:
    if row.torn:
        return RowResult(row.number, _subject(table, row), INVALID, message=f"row {row.number}: {row.torn}")
    try:
        return table.item(row.cells)
    except CellError as error:
        message = f"row {row.number}, column {error.column}: {error}"
        return RowResult(row.number, _subject(table, row), INVALID, column=error.column, message=message)


def _sent(
    api: PublicApi, table: Table, items: Sequence[dict[str, Any]], digest: str, summary: Summary
) -> list[dict[str, Any]]:
    if not items:
        return []
    answer = api.call("POST", table.batch, {"items": items}, {"Idempotency-Key": f"import-{digest}"})
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(items) > 1:
        half = len(items) // 2
        first = _sent(api, table, items[:half], f"{digest}a", summary)
        return first + _sent(api, table, items[half:], f"{digest}b", summary)
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return [{"status": answer.status, "error": _error(answer)}]
    if answer.status != HTTPStatus.OK:
        raise CallError(f"POST {table.batch}: {answer.status} {_error(answer)['message']}")
    summary.replayed += len(items) if answer.replayed else 0
    found: list[dict[str, Any]] = answer.body["items"]
    return found


def _result(table: Table, row: Row, item: dict[str, Any]) -> RowResult:
    subject, error = _subject(table, row), item.get("error")
    if error is None:
        number = item.get("id") or item.get("assignment_id") or ""
        outcome = CREATED if item["status"] == HTTPStatus.CREATED else table.found
        return RowResult(row.number, subject, outcome, id=str(number))
    outcome = UNCHANGED if error["code"] in table.unchanged else REFUSED
    return RowResult(
        row.number, subject, outcome, code=error["code"], column=error.get("field", ""), message=error["message"]
    )


def _subject(table: Table, row: Row) -> str:
    return "/".join(filter(None, (row.cells.get(name, "") for name in table.subject)))


def _error(answer: Answered) -> dict[str, str]:
    body = answer.body
    return {"code": str(body.get("code", "")), "message": str(body.get("detail") or body.get("title") or body)}


def _document(summary: Summary, path: Path) -> dict[str, object]:
    return {
        "rows": summary.outcomes.total(),
        "outcomes": dict(summary.outcomes),
        "failed": summary.failed,
        "resumed": summary.resumed,
        "replayed": summary.replayed,
        "seconds": round(summary.seconds, 3),
        "results": str(path),
    }


def _told(summary: Summary, path: Path) -> str:
    rows = summary.outcomes.total()
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(summary.outcomes.items())) or "nothing in it"
    lines = [f"{rows:,} rows in {summary.seconds:.1f} s: {counts}", f"what became of each row: {path}"]
    if summary.resumed:
        lines.append(f"{summary.resumed:,} rows had been done by an earlier run of this command")
    if summary.replayed:
        lines.append(
            f"{summary.replayed:,} rows had been sent before and were answered as then; --run NAME applies them again"
        )
    return "\n".join(lines)
