"""Percentiles out of counts by bounds.

One rule: a value is taken to lie evenly between its bounds, as Prometheus' histogram_quantile does.
"""

from collections.abc import Sequence

from infra.measures.instruments import MILLISECONDS

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def percentile(counts: Sequence[int], share: float, bounds: Sequence[float] = MILLISECONDS) -> float | None:
    """The value that this share of all values does not exceed; None where there are none.

    What lies beyond the last bound is told as the last bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    below = 0
    for place, count in enumerate(counts[: len(bounds)]):
        if below + count >= wanted:
            lower = bounds[place - 1] if place else 0.0
            return lower + (bounds[place] - lower) * (wanted - below) / count
        below += count
    return float(bounds[-1])


def percentiles(counts: Sequence[int]) -> dict[str, float | None]:
    """p50, p95 and p99 in milliseconds, to a tenth."""
    found = {name: percentile(counts, share) for name, share in SHARES.items()}
    return {name: None if value is None else round(value, 1) for name, value in found.items()}
