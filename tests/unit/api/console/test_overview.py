"""What an overview means to people: verdicts, and what charts say in words."""

import copy

import pytest

from api.console.chart_data import CHARTS, history_document, live_point, summaries
from api.console.verdicts import Level, lateness, level_of, remarks

WELL = {
    "at": "2025-11-21T12:00:00Z",
    "queue": {
        "depth": 3, "depth_is_capped": False, "oldest_age_seconds": 0.2, "oldest": {"tenant": "acme", "id": "1"},
        "running": 1,
    },
    "rates": {"accepted": 10.0, "applied": 9.5, "events": 30.0},
    "accept_ms": {"p50": 3.0, "p95": 9.0, "p99": 20.0},
    "apply_ms": {"p50": 10.0, "p95": 40.0, "p99": 90.0},
    "outbox": {"pending": 1, "lag_seconds": 0.1},
    "waiting_seats": 7,
    "dead_letters": 0,
    "unreadable": 0,
    "workers": {"alive": 2},
    "database": {"state": "up"},
    "broker": {"state": "up", "queue_depth": 0},
}  # fmt: skip


def but(**changes):
    """The overview of a service that is well, but for these."""
    overview = copy.deepcopy(WELL)
    for path, value in changes.items():
        *parts, last = path.split("__")
        place = overview
        for part in parts:
            place = place[part]
        place[last] = value
    return overview


def test_where_all_is_well_nothing_is_remarked():
    assert list(remarks(WELL)) == []
    assert level_of(remarks(WELL)) is Level.GOOD


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({"database__state": "down"}, Level.BAD, "database does not answer"),
        ({"workers__alive": 0}, Level.BAD, "No worker is alive"),
        ({"broker__state": "down"}, Level.WARN, "broker does not answer"),
        ({"queue__oldest_age_seconds": 45.0}, Level.WARN, "has waited for 45 s"),
        ({"queue__oldest_age_seconds": 400.0, "queue__oldest": None}, Level.BAD, "has waited for 7 min"),
        ({"outbox__lag_seconds": 60.0}, Level.WARN, "waited for 60 s to be published"),
        ({"dead_letters": 1}, Level.WARN, "1 dead letter to look at"),
        ({"unreadable": 2}, Level.WARN, "2 messages of the broker cannot be read"),
    ],
)
def test_what_is_not_as_it_should_be_is_remarked(changes, level, text):
    (remark,) = remarks(but(**changes))
    assert remark.level is level
    assert text in remark.text


def test_the_most_urgent_comes_first():
    found = remarks(but(dead_letters=3, workers__alive=0, broker__state="down"))
    assert [remark.level for remark in found] == [Level.BAD, Level.WARN, Level.WARN]
    assert level_of(found) is Level.BAD


def test_without_a_broker_nothing_is_late_to_be_published():
    assert list(remarks(but(broker__state="none", outbox__lag_seconds=9999.0))) == []


def test_of_what_is_not_known_nothing_is_said_but_why():
    unknown = {"workers__alive": None, "dead_letters": None, "queue__oldest_age_seconds": None,
               "outbox__lag_seconds": None, "unreadable": None}  # fmt: skip
    (remark,) = remarks(but(database__state="down", **unknown))
    assert "database" in remark.text


def test_nothing_waits_is_not_late():
    assert lateness(None) is Level.GOOD


def test_a_chart_says_in_words_what_it_shows():
    points = [
        {"at": "2025-11-21T11:00:00Z", "accepted": 10.0, "applied": 0.0, "events": None},
        {"at": "2025-11-21T11:30:00Z", "accepted": 30.0, "applied": 0.0, "events": None},
    ]
    assert summaries(points)["rates"] == (
        "Accepted: mean 20, highest 30 at 11:30. Applied: 0 throughout. Events: nothing in the last hour."
    )
    assert summaries([]).keys() == {chart.name for chart in CHARTS}


def test_a_live_point_has_what_the_charts_ask_for():
    asked = {name for chart in CHARTS for name, _ in chart.series}
    assert asked <= live_point(WELL).keys()
    assert live_point(WELL)["time"] == 1763726400.0


def test_a_point_leaves_out_what_is_not_known():
    document = history_document({"points": [{"at": "2025-11-21T12:00:00Z", "depth": 3, "oldest_age_seconds": None}]})
    assert document["points"] == [{"time": 1763726400.0, "depth": 3}]
