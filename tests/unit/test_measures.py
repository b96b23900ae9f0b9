"""Counters, gauges and histograms, what Prometheus is shown of them, and percentiles out of counts."""

import math

import pytest

from infra.measures import Counter, Gauge, Histogram, Measures, exposition
from infra.measures.instruments import MILLISECONDS
from infra.measures.percentiles import percentile, percentiles


def test_a_histogram_counts_by_the_first_bound_that_is_not_exceeded():
    histogram = Histogram("h", "", bounds=(1, 2, 5))
    for value in (0.5, 1, 1.5, 2, 5, 6, 100):
        histogram.observe(value)
    assert histogram.series[()].counts == [2, 2, 1, 2]
    assert histogram.series[()].total == 116


def test_a_snapshot_tells_what_came_since():
    histogram = Histogram("h", "", bounds=(1, 2))
    histogram.observe(1)
    before = histogram.snapshot
    histogram.observe(2)
    histogram.observe(2)
    assert histogram.snapshot.since(before) == [0, 2, 0]


def test_a_counter_adds_up_by_labels_and_shows_known_ones_from_the_start():
    counter = Counter("c", "", ("result",), known=[("good",), ("bad",)])
    counter.add(2, "good")
    counter.add(1, "odd")
    assert (counter.values, counter.total) == ({("good",): 2, ("bad",): 0, ("odd",): 1}, 3)


def test_a_gauge_is_set_replaced_followed_and_forgotten():
    gauge = Gauge("g", "", ("code",))
    gauge.set(3, "a")
    gauge.replace({"b": 1})
    assert gauge.values == {("b",): 1}
    gauge.set(None, "b")
    assert gauge.values == {}
    gauge.follow(lambda: {("c",): 7})
    assert gauge.values == {("c",): 7}


@pytest.mark.parametrize("kind", ["api", "worker", None])
def test_what_is_shown_is_prometheus_text_with_every_instrument_of_the_process(kind):
    measures = Measures(kind)
    measures.database.statements.observe(0.003, "lock_tenants")
    registry = exposition.registry_of(measures)
    names = {family.name for family in registry.collect()}
    assert {instrument.name for instrument in measures.instruments} <= names
    assert registry.get_sample_value(
        "seatline_sql_duration_seconds_bucket", {"statement": "lock_tenants", "le": "0.005"}
    )
    assert registry.get_sample_value("seatline_sql_duration_seconds_sum", {"statement": "lock_tenants"}) == 0.003
    assert b'seatline_sql_duration_seconds_bucket{le="+Inf",statement="lock_tenants"} 1.0' in exposition.text_of(
        measures
    )


def test_names_follow_the_conventions_and_stand_once():
    instruments = Measures().instruments
    assert len({instrument.name for instrument in instruments}) == len(instruments)
    for instrument in instruments:
        assert instrument.name.startswith("seatline_")
        assert not instrument.name.endswith("_total"), "the format adds it"
        assert not any(part in {"ms", "milliseconds", "minutes", "kb"} for part in instrument.name.split("_"))
        assert instrument.text.endswith(".")
        if isinstance(instrument, Histogram):
            assert list(instrument.bounds) == sorted(instrument.bounds)


def test_a_percentile_lies_evenly_between_its_bounds():
    counts = [0] * (len(MILLISECONDS) + 1)
    place = MILLISECONDS.index(20)
    counts[place] = 100
    assert percentile(counts, 0.5) == pytest.approx((15 + 20) / 2)
    assert percentile(counts, 1.0) == 20
    assert percentiles(counts) == {"p50": 17.5, "p95": 19.8, "p99": 19.9}


def test_a_percentile_of_nothing_is_none_and_of_what_lies_beyond_is_the_last_bound():
    counts = [0] * (len(MILLISECONDS) + 1)
    assert percentile(counts, 0.5) is None
    assert percentile([], 0.99) is None
    counts[-1] = 3
    assert percentile(counts, 0.5) == MILLISECONDS[-1]


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_percentile_is_off_by_no_more_than_its_bounds(share):
    histogram = Histogram("h", "", bounds=MILLISECONDS)
    values = sorted(10 * math.exp(math.sin(n) * 2) for n in range(5_000))
    for value in values:
        histogram.observe(value)
    true = values[int(share * len(values)) - 1]
    found = percentile(histogram.series[()].counts, share)
    upper = next(bound for bound in MILLISECONDS if bound >= true)
    lower = max([bound for bound in MILLISECONDS if bound < true])
    assert lower <= found <= upper
