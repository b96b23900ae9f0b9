"""`seatline status`: asks every server and process, rather than believing that it was started."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import click
from rich.console import Console
from rich.table import Table

from infra.local import environment_file, place, probes
from infra.local.place import Place
from infra.local.processes import Record
from infra.settings import mask
from workers.cli.up import SUPERVISOR, supervisor_record

# Workers report every second.
SILENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One server or process: whether it is up, and what it says."""

    name: str
    up: bool
    detail: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def status(*, as_json: bool) -> None:
    """Say what is up; exit code 0 only when all is."""
    lines = look(place.of_clone())
    all_up = all(line.up for line in lines)
    if as_json:
        click.echo(json.dumps({"up": all_up, "parts": [asdict(line) for line in lines]}))
    else:
        _print(lines)
    sys.exit(0 if all_up else 1)


def look(here: Place) -> list[Line]:
    """The state of every part, the supervisor first."""
    supervisor = supervisor_record(here)
    values = environment_file.read(here.environment)
    if supervisor is None:
        return [Line(name=SUPERVISOR, up=False, detail="not running: ./dev up starts everything")]
    lines = [Line(name=SUPERVISOR, up=True, detail=f"process {supervisor.pid}")]
    if not values:
        return [*lines, Line(name="start", up=False, detail="still starting")]
    database, broker = values["SEATLINE_DATABASE_URL"], values["SEATLINE_AMQP_URL"]
    lines.append(_asked("postgres", database, lambda: probes.postgres_version(database)))
    if broker:
        lines.append(_asked("rabbitmq", broker, lambda: probes.rabbitmq_version(broker)))
    else:
        lines.append(Line(name="rabbitmq", up=True, detail="none: work is found by polling"))
    ready = probes.is_ready(values["SEATLINE_URL"])
    lines.append(Line(name="api", up=ready, detail=values["SEATLINE_URL"] + ("" if ready else " is not ready")))
    return [*lines, *_workers(here, database), _first_request(here)]


def _asked(name: str, url: str, version: Callable[[], str]) -> Line:
    try:
        return Line(name=name, up=True, detail=f"{version()} at {mask(url)}")
    except Exception as error:  # noqa: BLE001  # every way in which a server does not answer is an answer here
        return Line(name=name, up=False, detail=f"{mask(url)}: {str(error) or type(error).__name__}")


def _workers(here: Place, database: str) -> list[Line]:
    """A worker is up when it said so to the database itself; a stopped one still has a process."""
    records = [Record.read(path) for path in sorted(here.records.glob("worker-*.json"))]
    try:
        seen = probes.workers_seen(database)
    except Exception:  # noqa: BLE001  # the line of Postgres says what is wrong
        seen = {}
    return [_worker(record, seen) for record in records if record is not None] or [
        Line(name="worker", up=False, detail="none runs")
    ]


def _worker(record: Record, seen: Mapping[str, float]) -> Line:
    ages = [age for name, age in seen.items() if name.endswith(f"-{record.pid}")]
    detail = f"process {record.pid}"
    if not record.is_alive():
        return Line(name=record.name, up=False, detail=f"{detail} has ended")
    if not ages or min(ages) > SILENT_SECONDS:
        return Line(name=record.name, up=False, detail=f"{detail} does not report to the database")
    return Line(name=record.name, up=True, detail=detail)


def _first_request(here: Place) -> Line:
    through = here.ready.exists()
    return Line(name="request", up=through, detail="went all the way through" if through else "not yet through")


def _print(lines: list[Line]) -> None:
    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(line.name, "[green]up[/]" if line.up else "[bold red]DOWN[/]", line.detail)
    Console().print(table)
