"""The measures of a process in Prometheus' text format, with what the operating system knows of the process.

One rule: looking reads memory only; a scrape neither waits for a server nor makes one work.
"""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from infra.measures.instruments import Counter, Histogram
from infra.measures.process import AnyInstrument, Measures

CONTENT_TYPE = CONTENT_TYPE_LATEST

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class _Collected(Collector):
    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    @override
    def collect(self) -> Iterator[Family]:
        return (_family(instrument) for instrument in self._measures.instruments)


def registry_of(measures: Measures) -> CollectorRegistry:
    """A registry that shows these measures."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Collected(measures))
    return registry


def text_of(measures: Measures) -> bytes:
    """What a scrape is answered."""
    return generate_latest(registry_of(measures))


def _family(instrument: AnyInstrument) -> Family:
    if isinstance(instrument, Histogram):
        return _histogram(instrument)
    kind = CounterMetricFamily if isinstance(instrument, Counter) else GaugeMetricFamily
    family = kind(instrument.name, instrument.text, labels=instrument.labels)
    for values, value in instrument.values.items():
        family.add_metric(values, value)
    return family


def _histogram(instrument: Histogram) -> HistogramMetricFamily:
    family = HistogramMetricFamily(instrument.name, instrument.text, labels=instrument.labels)
    for values, series in instrument.series.items():
        buckets, count = [], 0
        for bound, more in zip([*map(str, instrument.bounds), "+Inf"], series.counts, strict=True):
            count += more
            buckets.append((bound, float(count)))
        family.add_metric(values, buckets, series.total)
    return family
