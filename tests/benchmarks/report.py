"""Figures as a table for people, as JSON for programs, and as sections of docs/benchmarks.md."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import pictures
from tests.benchmarks.figures import COLUMNS, Figure

PAGE = pictures.PAGE


def show(console: Console, machine: Mapping[str, str], figures: Sequence[Figure]) -> None:
    """Print one table for each section."""
    for name, value in machine.items():
        console.print(f"[bold]{name}[/bold] {value}", highlight=False)
    for section in dict.fromkeys(figure.section for figure in figures):
        table = Table(title=section, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for place, column in enumerate(COLUMNS):
            table.add_column(column, justify="right" if place in {1, 2, 3} else "left")
        for figure in figures:
            if figure.section == section:
                table.add_row(*figure.row(), style={"missed": "red", "met": "green"}.get(figure.verdict))
        console.print(table)


def document(machine: Mapping[str, str], figures: Sequence[Figure]) -> str:
    """Everything as one JSON document, the single runs included."""
    body = {"machine": dict(machine), "figures": [figure.document() for figure in figures]}
    return json.dumps(body, indent=2, ensure_ascii=False)


def write(machine: Mapping[str, str], figures: Sequence[Figure], *, path: Path = PAGE) -> None:
    """Replace the sections of the page for which there are new figures; every other line stays.

    Raises:
        ValueError: the page has no such section.
    """
    text = path.read_text(encoding="utf-8")
    for section in dict.fromkeys(figure.section for figure in figures):
        body = _section(machine, [figure for figure in figures if figure.section == section])
        begin, end = f"<!-- {section}: written by the benchmark -->\n", "<!-- end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{path.name} has no section for {section}")
        text = before + begin + body + end + after
    path.write_text(text, encoding="utf-8")


def _section(machine: Mapping[str, str], figures: Sequence[Figure]) -> str:
    lines = [f"Measured on {datetime.now(UTC):%Y-%m-%d}.", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    lines += ["", _row(COLUMNS), "|---|---:|---:|---:|---|"]
    lines += [_row(figure.row()) for figure in figures]
    lines += ["", pictures.link(figures[0].section)]
    return "\n".join(["", *lines, "", ""])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip() for cell in cells) + " |"
