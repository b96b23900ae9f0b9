"""Pictures of the figures, one for each section of docs/benchmarks.md, made from nothing but its tables.

One rule: the same page gives the same bytes, so that a picture changes only where a figure has.
Run: python -m tests.benchmarks.pictures, where the page was edited or merged; ./dev bench --write does it by itself.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.place import ROOT
from tests.benchmarks import own_environment

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "docs" / "images" / "benchmarks"
# What tells how good a run was, and not how good the service is.
_LEFT_OUT = frozenset({"cores", "events", "minutes"})
_SECTION = re.compile(r"<!-- ([a-z-]+): written by the benchmark -->\n(.*?)<!-- end -->", re.DOTALL)
_ROW = re.compile(
    r"^\| (?P<name>[^|]+?) \| (?P<median>-?[\d,.]+)(?: (?P<unit>[^|]+?))? "
    r"\| (?:(?P<low>-?[\d,.]+) to (?P<high>-?[\d,.]+))? ?\| \d+ "
    r"\| (?:(?:under|at least) (?P<goal>[\d,.]+): (?P<verdict>\w+))? ?\|$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A row of a table: the median, the lowest and the highest run, and the goal if there is one."""

    name: str
    median: float
    low: float
    high: float
    goal: float | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The rows of one unit, in the order of the table."""

    unit: str
    bars: tuple[Bar, ...]


def pictures(page: str) -> Iterator[tuple[str, list[Panel]]]:
    """The sections of the page that have figures, with a panel for each unit."""
    for section, body in _SECTION.findall(page):
        units: dict[str, list[Bar]] = {}
        for row in _ROW.finditer(body):
            unit = row["unit"] or "times"
            if unit not in _LEFT_OUT:
                units.setdefault(unit, []).append(_bar(row))
        if units:
            yield section, [Panel(unit=unit, bars=tuple(bars)) for unit, bars in units.items()]


def link(section: str) -> str:
    """How the page shows the section's picture."""
    what = "the same figures as bars, from the lowest to the highest run, with the goals as lines"
    return f"![{section}: {what}](images/benchmarks/{section}.svg)"


def draw(page: Path, say: Callable[[str], None], *, folder: Path = FOLDER) -> None:
    """Draw every picture of the page anew.

    Raises:
        RuntimeError: it could not be done; the message says why.
    """
    python = own_environment.python("plots", say)
    wanted = {section: [asdict(panel) for panel in panels] for section, panels in pictures(page.read_text("utf-8"))}
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-P", str(Path(__file__).with_name("drawing.py")), str(folder)]
    ended = subprocess.run(command, input=json.dumps(wanted), text=True, capture_output=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"the pictures could not be drawn:\n{ended.stderr}")


def _bar(row: re.Match[str]) -> Bar:
    median = _number(row["median"])
    return Bar(
        name=row["name"],
        median=median,
        low=_number(row["low"]) if row["low"] else median,
        high=_number(row["high"]) if row["high"] else median,
        goal=_number(row["goal"]) if row["goal"] else None,
        verdict=row["verdict"] or "",
    )


def _number(text: str) -> float:
    return float(text.replace(",", ""))


if __name__ == "__main__":
    draw(PAGE, print)
