"""The overview's charts: which figures each shows, and what it says in words.

One rule: a chart is never the only way to learn what it shows; its summary says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from api.console.wording import clock, milliseconds, number, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: `series` are (name of the API, what people call it), `unit` is how values are written."""

    name: str
    title: str
    unit: str
    series: Sequence[tuple[str, str]]


CHARTS = (
    Chart(
        name="rates",
        title="Per second",
        unit="count",
        series=(("accepted", "accepted"), ("applied", "applied"), ("events", "events")),
    ),
    Chart(name="depth", title="Queue depth", unit="count", series=(("depth", "queued"),)),
    Chart(name="age", title="Age of the oldest queued", unit="seconds", series=(("oldest_age_seconds", "oldest"),)),
    Chart(
        name="latency",
        title="95th percentile",
        unit="milliseconds",
        series=(("accept_p95_ms", "accept"), ("apply_p95_ms", "accept to applied")),
    ),
    Chart(name="outbox", title="Outbox lag", unit="seconds", series=(("outbox_lag_seconds", "lag"),)),
    Chart(
        name="trouble",
        title="Waiting seats and dead letters",
        unit="count",
        series=(("waiting_seats", "waiting seats"), ("dead_letters", "dead letters")),
    ),
)
_WRITTEN: Mapping[str, Callable[[float | None], str]] = {
    "count": number,
    "seconds": seconds,
    "milliseconds": milliseconds,
}


def history_document(history: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's script draws: points by their time in seconds, and the summaries."""
    points = history["points"]
    return {"points": [_point(point) for point in points], "summaries": summaries(points)}


def live_point(overview: Mapping[str, Any]) -> dict[str, Any]:
    """The point that an overview adds to the charts."""
    queue, rates = overview["queue"], overview["rates"]
    return _point(
        {
            "at": overview["at"],
            **rates,
            "depth": queue["depth"],
            "oldest_age_seconds": queue["oldest_age_seconds"],
            "accept_p95_ms": overview["accept_ms"]["p95"],
            "apply_p95_ms": overview["apply_ms"]["p95"],
            "outbox_lag_seconds": overview["outbox"]["lag_seconds"],
            "waiting_seats": overview["waiting_seats"],
            "dead_letters": overview["dead_letters"],
        }
    )


def summaries(points: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What each chart shows, in words."""
    return {chart.name: _summary(chart, points) for chart in CHARTS}


def _summary(chart: Chart, points: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(_sentence(chart, name, called, points) for name, called in chart.series)


def _sentence(chart: Chart, name: str, called: str, points: Sequence[Mapping[str, Any]]) -> str:
    written = _WRITTEN[chart.unit]
    known = [point for point in points if point.get(name) is not None]
    begin = called[0].upper() + called[1:]
    if not known:
        return f"{begin}: nothing in the last hour."
    highest = max(known, key=lambda point: float(point[name]))
    mean = fmean(float(point[name]) for point in known)
    if not highest[name]:
        return f"{begin}: 0 throughout."
    return f"{begin}: mean {written(mean)}, highest {written(highest[name])} at {clock(highest['at'])[:5]}."


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in point.items() if name != "at" and value is not None}
    return {"time": round(datetime.fromisoformat(point["at"]).timestamp(), 1), **kept}
