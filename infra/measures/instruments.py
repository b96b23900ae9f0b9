"""Counters, gauges and histograms with labels, in plain dictionaries.

One rule: cheap enough for every operation and every statement. prometheus-client's own take a lock and look up their
labels for each value, which is several times as long.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Labels = tuple[str, ...]

MILLISECONDS = (1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000,
                5_000, 7_000, 10_000, 20_000, 30_000, 60_000, 120_000)  # fmt: skip
"""The bounds of accept and apply times; a row of `process_measure` holds a count for each, and one for what is beyond.

Whoever changes them empties that table in the same migration.
"""

LATENCIES = tuple(bound / 1_000 for bound in MILLISECONDS)
REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STATEMENTS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Instrument:
    """A metric by its name, what it is, and the names of its labels."""

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        self.name = name
        self.text = text
        self.labels = labels


class Counter(Instrument):
    """Only ever grows; shown with `_total` behind its name."""

    def __init__(self, name: str, text: str, labels: Labels = (), *, known: Iterable[Labels] = ()) -> None:
        super().__init__(name, text, labels)
        # Shown from the start, so that the first increase is seen as one.
        self.values: dict[Labels, float] = dict.fromkeys(known if labels else [()], 0.0)

    def add(self, amount: float = 1, *labels: str) -> None:
        """So many more."""
        self.values[labels] = self.values.get(labels, 0.0) + amount

    @property
    def total(self) -> float:
        """Of all labels together."""
        return sum(self.values.values())


class Gauge(Instrument):
    """Goes up and down. Without a value it is not shown."""

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        super().__init__(name, text, labels)
        self._values: dict[Labels, float] = {}
        self._read: Callable[[], Mapping[Labels, float]] | None = None

    def set(self, value: float | None, *labels: str) -> None:
        """It is this now; None: nobody knows."""
        if value is None:
            self._values.pop(labels, None)
        else:
            self._values[labels] = value

    def replace(self, values: Mapping[str, float]) -> None:
        """All values of the one label there is; those that are not named are gone."""
        self._values = {(label,): value for label, value in values.items()}

    def follow(self, read: Callable[[], Mapping[Labels, float]]) -> None:
        """Ask `read` whenever somebody looks."""
        self._read = read

    @property
    def values(self) -> Mapping[Labels, float]:
        """By labels."""
        return self._values if self._read is None else self._read()


@dataclass(slots=True)
class Series:
    """How many values fell between the bounds (one more place for those beyond the last), and their sum."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counts of a histogram at an instant."""

    counts: Sequence[int] = field(default=())

    def since(self, earlier: "Snapshot") -> list[int]:
        """What has been added since an earlier snapshot."""
        before = earlier.counts or [0] * len(self.counts)
        return [now - then for now, then in zip(self.counts, before, strict=True)]


class Histogram(Instrument):
    """Counts values by the first bound that they do not exceed."""

    def __init__(self, name: str, text: str, labels: Labels = (), *, bounds: Sequence[float]) -> None:
        super().__init__(name, text, labels)
        self.bounds = tuple(bounds)
        self.series: dict[Labels, Series] = {}
        if not labels:
            self._new(())

    def observe(self, value: float, *labels: str) -> None:
        """One value more."""
        series = self.series.get(labels) or self._new(labels)
        series.counts[bisect_left(self.bounds, value)] += 1
        series.total += value

    @property
    def snapshot(self) -> Snapshot:
        """The counts of the one series of a histogram without labels."""
        return Snapshot(tuple(self.series[()].counts))

    def _new(self, labels: Labels) -> Series:
        series = self.series[labels] = Series([0] * (len(self.bounds) + 1))
        return series
