"""What a run found, as tables for people, as JSON for programs, and as the section of docs/reliability.md."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.local.place import ROOT
from tests.chaos.runner import Struck

PAGE = ROOT / "docs" / "reliability.md"
SHORT, LONG = "the last run", "the last long run"
_END = "<!-- end -->"
_MOST_SHOWN = 40
# From here on a line for each time that a fault has struck would be hundreds.
_LONG_SECONDS = 600
_COLUMNS = ("fault", "struck at", "lasted", "recovered in", "unknown", "what it did")
_SUMS = ("fault", "times", "lasted at most", "recovered in: median", "at most", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run from beginning to end."""

    command: str
    seed: int
    seconds: float
    machine: Mapping[str, str]
    figures: Mapping[str, int | float | str]
    struck: Sequence[Struck]
    violations: Sequence[str]

    def document(self) -> str:
        """Everything as one JSON document."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def show(self, console: Console) -> None:
        """Print the tables, then what is wrong."""
        faults = Table(title="faults", title_justify="left", box=None, pad_edge=False, header_style="bold")
        for place, column in enumerate(_COLUMNS):
            faults.add_column(column, justify="right" if 0 < place < 5 else "left")
        for one in self.struck:
            faults.add_row(*_row(one), style="red" if one.problem else None)
        figures = Table(title="figures", title_justify="left", box=None, pad_edge=False, show_header=False)
        for name, value in self.figures.items():
            figures.add_row(name, _shown(value))
        console.print(faults, "", figures, "")
        for violation in self.violations[:_MOST_SHOWN]:
            console.print("[red]VIOLATION[/red]", escape(violation), highlight=False, soft_wrap=True)
        if len(self.violations) > _MOST_SHOWN:
            console.print(f"… and {len(self.violations) - _MOST_SHOWN} more, which --json has")
        verdict = f"[red]{len(self.violations)} violations[/red]" if self.violations else "[green]no violation[/green]"
        console.print(f"{verdict}; {len(self.struck)} faults in {self.seconds:.0f} s; --seed {self.seed} repeats them")

    def write(self, path: Path = PAGE) -> None:
        """Replace its section of the page, one for short runs and one for long ones; all else stays.

        Raises:
            ValueError: the page has no such section.
        """
        name = LONG if self._is_long else SHORT
        begin = f"<!-- {name}: written by chaos -->\n"
        before, found, rest = path.read_text(encoding="utf-8").partition(begin)
        _, closed, after = rest.partition(_END)
        if not (found and closed):
            raise ValueError(f"{path.name} has no section for {name}")
        path.write_text(before + begin + self._section() + _END + after, encoding="utf-8")

    @property
    def _is_long(self) -> bool:
        return self.seconds >= _LONG_SECONDS

    def _section(self) -> str:
        lines = [f"Run on {datetime.now(UTC):%Y-%m-%d}: `{self.command}`.", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.machine.items()]
        lines += ["", "| figure | |", "|---|---:|"]
        lines += [f"| {name} | {_shown(value)} |" for name, value in self.figures.items()]
        lines += ["", *(summed(self.struck) if self._is_long else _each(self.struck))]
        verdict = [f"- {violation}" for violation in self.violations] or ["No violation."]
        return "\n".join(["", *lines, "", *verdict, "", ""])


def _each(struck: Sequence[Struck]) -> list[str]:
    return [_line(_COLUMNS), "|---|---:|---:|---:|---:|---|", *(_line(_row(one)) for one in struck)]


def summed(struck: Sequence[Struck]) -> list[str]:
    """A table with a line for each fault, however often it has struck, by name."""
    lines = [_line(_SUMS), "|---|---:|---:|---:|---:|---:|"]
    for name in sorted({one.name for one in struck}):
        same = [one for one in struck if one.name == name]
        # One that was never recovered from is the longest of all.
        recovered = sorted(math.inf if one.recovered is None else one.recovered for one in same)
        cells = (name, f"{len(same)}", f"{max(one.lasted for one in same):.1f} s")
        spread = (_within(statistics.median(recovered)), _within(recovered[-1]))
        lines.append(_line((*cells, *spread, f"{sum(one.unknown for one in same):,}")))
    return lines


def _within(seconds: float) -> str:
    return "never" if math.isinf(seconds) else f"{seconds:.1f} s"


def _row(one: Struck) -> tuple[str, ...]:
    recovered = _within(math.inf if one.recovered is None else one.recovered)
    note = f"{one.note} (during {one.during})" if one.during else one.note
    return (one.name, f"{one.began:.0f} s", f"{one.lasted:.1f} s", recovered, str(one.unknown), note)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.1f} s" if isinstance(value, float) else f"{value:,}"
