"""What measuring costs, in nanoseconds beside prometheus-client: `python -m tests.benchmarks.measuring`."""

import timeit
from collections import Counter as Statuses
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import prometheus_client

from domain.outcomes import OperationStatus
from infra.measures import Counter, Histogram, Measures
from infra.measures.instruments import LATENCIES
from workers.measuring import pass_committed
from workers.passes import Pass
from workers.ready import Batch
from workers.waves import Selection

OPERATIONS = 500
_TIMES = 50_000
_REPEATED = 5


def main() -> None:
    """Print each figure on a line."""
    registry = prometheus_client.CollectorRegistry()
    ours, theirs = (
        Histogram("h", "", ("statement",), bounds=LATENCIES),
        prometheus_client.Histogram("h", "h", ["statement"], buckets=LATENCIES, registry=registry),
    )
    counter, their_counter = Counter("c", "", ("a",)), prometheus_client.Counter("c", "c", ["a"], registry=registry)
    for name, action in (
        ("a value of a histogram", lambda: ours.observe(0.0123, "lock_tenants")),
        ("the same of prometheus-client", lambda: theirs.labels("lock_tenants").observe(0.0123)),
        ("one more of a counter", lambda: counter.add(1, "x")),
        ("the same of prometheus-client", lambda: their_counter.labels("x").inc()),
    ):
        print(f"{name:40}{_nanoseconds(action, _TIMES):8.0f} ns")  # noqa: T201
    cost = _nanoseconds(_pass(), _TIMES // OPERATIONS) / OPERATIONS
    print(f"{'an operation of a pass of 500':40}{cost:8.0f} ns")  # noqa: T201


def _pass() -> Callable[[], None]:
    operations: list[Any] = [SimpleNamespace(items=1, accepted_at=datetime.now(UTC)) for _ in range(OPERATIONS)]
    this = Pass(selection=Selection(taken={1: operations}), at=datetime.now(UTC))
    this.statuses = Statuses({OperationStatus.SUCCEEDED: OPERATIONS})
    measures, batch = Measures(), Batch(shares={1: OPERATIONS})
    return lambda: pass_committed(measures, this, batch)


def _nanoseconds(action: Callable[[], None], times: int) -> float:
    return min(timeit.repeat(action, number=times, repeat=_REPEATED)) / times * 1e9


if __name__ == "__main__":
    main()
