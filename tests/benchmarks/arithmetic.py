"""What figures are reckoned with: percentiles, the instants of a fixed rate, and how fast something grows."""

from collections.abc import Sequence
from datetime import timedelta

_HOUR = timedelta(hours=1).total_seconds()


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value that this many percent of the ordered values lie below; 100 is the largest."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def arrivals(rate: float, seconds: float) -> list[float]:
    """The instants, from 0 on, of so many arrivals a second, whatever becomes of those before."""
    return [number / rate for number in range(round(rate * seconds))]


def hourly_growth(samples: Sequence[tuple[float, float]]) -> float:
    """What (second, value) grows by in an hour: the slope of the line with the least squares."""
    middle_x = sum(x for x, _ in samples) / len(samples)
    middle_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - middle_x) ** 2 for x, _ in samples)
    if not spread:
        raise ValueError("growth needs samples of two moments")
    return sum((x - middle_x) * (y - middle_y) for x, y in samples) / spread * _HOUR
