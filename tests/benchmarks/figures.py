"""What was measured: every figure keeps all its runs, so that its spread can be seen beside its median."""

import statistics
from dataclasses import dataclass, replace

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure should reach: at least `bound`, or stay below it."""

    bound: float
    at_least: bool

    def is_met_by(self, value: float) -> bool:
        """Whether the value reaches the goal."""
        return value >= self.bound if self.at_least else value < self.bound

    @override
    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'under'} {shown(self.bound)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one section; `runs` are in the order in which they were measured."""

    section: str
    name: str
    unit: str
    runs: tuple[float, ...]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.runs)

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where there is no goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met_by(self.median) else "missed"

    def row(self) -> tuple[str, ...]:
        """The figure as a line of a table, in the order of COLUMNS."""
        spread = f"{shown(min(self.runs))} to {shown(max(self.runs))}" if len(self.runs) > 1 else ""
        goal = "" if self.goal is None else f"{self.goal}: {self.verdict}"
        return (self.name, f"{shown(self.median)} {self.unit}", spread, str(len(self.runs)), goal)

    def document(self) -> dict[str, object]:
        """The figure as JSON."""
        return {
            "section": self.section,
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "runs": list(self.runs),
            "goal": None if self.goal is None else str(self.goal),
            "verdict": self.verdict or None,
        }


COLUMNS = ("what", "median", "lowest to highest run", "runs", "goal")


class Sheet:
    """Collects measurements of one section as they come, run by run, and makes figures of them."""

    def __init__(self, section: str) -> None:
        self._section = section
        self._runs: dict[str, list[float]] = {}
        self._units: dict[str, str] = {}
        self._goals: dict[str, list[Goal | None]] = {}

    def note(self, name: str, value: float, unit: str, goal: Goal | None = None) -> None:
        """One more run of this figure; a goal may be measured too, and be another in each run."""
        self._runs.setdefault(name, []).append(value)
        self._goals.setdefault(name, []).append(goal)
        self._units[name] = unit

    def take(self, other: "Sheet") -> None:
        """The runs of another sheet as well."""
        for name, runs in other._runs.items():
            for run, goal in zip(runs, other._goals[name], strict=True):
                self.note(name, run, other._units[name], goal)

    def figures(self) -> list[Figure]:
        """All figures, in the order of their first run."""
        return [
            Figure(section=self._section, name=name, unit=unit, runs=tuple(self._runs[name]), goal=self._goal(name))
            for name, unit in self._units.items()
        ]

    def _goal(self, name: str) -> Goal | None:
        """The median is held against the median of the goals: that of one run says nothing of the others."""
        goals = [goal for goal in self._goals[name] if goal is not None]
        return None if not goals else replace(goals[0], bound=statistics.median(goal.bound for goal in goals))


def at_least(bound: float) -> Goal:
    """A goal for rates."""
    return Goal(bound=bound, at_least=True)


def under(bound: float) -> Goal:
    """A goal for times and sizes."""
    return Goal(bound=bound, at_least=False)


def shown(value: float) -> str:
    """Three digits that mean something: 12,345, 123, 12.3, 1.23."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
