"""Rate, errors and duration of requests, by route and by dialect.

One rule: labels are templates and words from closed sets, never anything a caller wrote.
"""

from infra.measures import Measures

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """What the outermost layer adds to the measures of its process."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        self._requests = measures.requests
        self._now = 0

    def begin(self) -> None:
        """A request has come in."""
        self._count(1)

    def end(self, *, dialect: str, method: str, route: str, status: int, seconds: float) -> None:
        """It is answered. `status` 0: the connection ended before an answer did."""
        named = method if method in _METHODS else "OTHER"
        self._count(-1)
        self._requests.answered.add(1, dialect, named, route, str(status))
        self._requests.seconds.observe(seconds, dialect, named, route)

    def _count(self, more: int) -> None:
        self._now += more
        self._requests.open.set(self._now)
