"""Rate, errors and duration of requests, for Prometheus.

One rule: labels are templates and words from closed sets, never anything a caller wrote.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class HttpMetrics:
    """The measures of one API process, in a registry of their own to which others may add theirs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "seatline_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "seatline_http_request_seconds",
            "Time from the request's first byte to the response's last.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._open = Gauge("seatline_http_requests_open", "Requests being answered now.", registry=self.registry)

    def begin(self) -> None:
        """A request has come in."""
        self._open.inc()

    def end(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """It is answered. `status` 0: the connection ended before an answer did."""
        named = method if method in _METHODS else "OTHER"
        self._open.dec()
        self._requests.labels(named, route, str(status)).inc()
        self._seconds.labels(named, route).observe(seconds)
