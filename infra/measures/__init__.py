"""What a process measures of itself: counters, gauges and histograms, kept in its memory and shown to Prometheus.

One rule: measuring never waits, never fails and needs no lock; a process is one event loop.
"""

from infra.measures import exposition
from infra.measures.instruments import Counter, Gauge, Histogram
from infra.measures.process import Measures

__all__ = ["Counter", "Gauge", "Histogram", "Measures", "exposition"]
