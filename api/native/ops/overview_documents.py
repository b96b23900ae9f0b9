"""The overview and its history as documents: what /v1/ops/overview answers, the console shows and `top` draws.

One rule: whoever shows the overview shows this document, so that page, script and terminal say the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from api.http.services import Services
from domain.errors import JSON
from domain.outcomes import timestamp
from infra.measures.percentiles import percentile, percentiles
from infra.postgres.faults import is_transient
from infra.postgres.measures import last_sample
from infra.postgres.reads.overview import (
    HistoryPoint,
    Measured,
    QueueState,
    history,
    present,
    read_queue,
    recent_measures,
)

MOST_POINTS = 360
ANSWER_SECONDS = 3.0
"""A database that takes longer is told as one that does not answer."""

_STEP = 5
_OF_A_POINT = (
    "accepted", "applied", "events", "depth", "oldest_age_seconds", "accept_p95_ms", "apply_p95_ms",
    "outbox_lag_seconds", "waiting_seats", "dead_letters",
)  # fmt: skip


async def overview_document(services: Services) -> dict[str, JSON]:
    """The installation as it is now. Where the database does not answer, that is what it says."""
    broker, unreadable = await _broker(services)
    try:
        # Not a snapshot: what is counted first need not match what is counted last to the row.
        async with asyncio.timeout(ANSWER_SECONDS), services.database.transaction() as tx:
            queue = await read_queue(tx)
            latest, minute = await recent_measures(tx)
            sample = await last_sample(tx)
            at = await present(tx)
    except Exception as error:
        if not is_transient(error):
            raise
        return _without_database(services, broker, unreadable)
    return {
        "at": timestamp(at),
        "queue": _queue(queue),
        "rates": _rates(latest),
        "accept_ms": {**percentiles(minute.accept_counts)},
        "apply_ms": {**percentiles(minute.apply_counts)},
        "outbox": {"pending": queue.outbox_pending, "lag_seconds": _seconds(queue.outbox_lag_seconds) or 0.0},
        "waiting_seats": sample.waiting_seats if sample is not None else 0,
        "dead_letters": queue.dead_letters,
        "unreadable": unreadable,
        "workers": {"alive": queue.workers_alive},
        "database": {"state": "up", "connections": _connections(services)},
        "broker": broker,
    }


async def history_document(services: Services, *, minutes: int) -> dict[str, JSON]:
    """The last minutes by steps of equal length, the oldest first; null where nothing is known of a step."""
    step = timedelta(seconds=-(-minutes * 60 // MOST_POINTS // _STEP) * _STEP)
    known = {
        point.at: point for point in await history(services.database, window=timedelta(minutes=minutes), step=step)
    }
    seconds = step.total_seconds()
    last = int((await present(services.database)).timestamp() // seconds)
    first = last - int(minutes * 60 // seconds) + 1
    instants = [datetime.fromtimestamp(place * seconds, UTC) for place in range(first, last + 1)]
    return {"step_seconds": int(seconds), "points": [_point(at, known.get(at)) for at in instants]}


async def _broker(services: Services) -> tuple[dict[str, JSON], int | None]:
    """Its state, and how many messages it keeps that nobody could read."""
    if services.broker is None:
        return {"state": "none", "queue_depth": None}, None
    depths = await services.broker.depths()
    state = "up" if services.broker.reachable else "down"
    if depths is None:
        return {"state": state, "queue_depth": None}, None
    return {"state": state, "queue_depth": depths.claims}, depths.unreadable


def _queue(queue: QueueState) -> dict[str, JSON]:
    oldest = queue.oldest
    return {
        "depth": queue.depth,
        "depth_is_capped": queue.depth_is_capped,
        "oldest_age_seconds": _seconds(queue.oldest_age_seconds),
        "oldest": None if oldest is None else {"tenant": oldest.tenant, "id": str(oldest.id)},
        "running": queue.running,
    }


def _rates(measured: Measured) -> dict[str, JSON]:
    """Per second."""
    counted = {"accepted": measured.accepted, "applied": measured.applied, "events": measured.events}
    return {name: round(count / measured.seconds, 2) for name, count in counted.items()}


def _connections(services: Services) -> dict[str, JSON]:
    use = services.database.measures.database
    shown: dict[str, JSON] = {state: int(count) for (state,), count in use.connections.values.items()}
    return {**shown, "max": int(use.most.values[()])}


def _without_database(services: Services, broker: Mapping[str, JSON], unreadable: int | None) -> dict[str, JSON]:
    nothing: dict[str, JSON] = dict.fromkeys(("p50", "p95", "p99"))
    queue: dict[str, JSON] = dict.fromkeys(("depth", "oldest_age_seconds", "oldest", "running"))
    return {
        "at": timestamp(datetime.now(UTC)),
        "queue": {**queue, "depth_is_capped": False},
        "rates": dict.fromkeys(("accepted", "applied", "events")),
        "accept_ms": nothing,
        "apply_ms": nothing,
        "outbox": dict.fromkeys(("pending", "lag_seconds")),
        "waiting_seats": None,
        "dead_letters": None,
        "unreadable": unreadable,
        "workers": {"alive": None},
        "database": {"state": "down", "connections": _connections(services)},
        "broker": {**broker},
    }


def _point(at: datetime, known: HistoryPoint | None) -> JSON:
    if known is None:
        return {"at": timestamp(at), **dict.fromkeys(_OF_A_POINT)}
    return {
        "at": timestamp(at),
        **_rates(known.measured),
        "depth": known.depth,
        "oldest_age_seconds": _seconds(known.oldest_age_seconds),
        "accept_p95_ms": _p95(known.measured.accept_counts),
        "apply_p95_ms": _p95(known.measured.apply_counts),
        "outbox_lag_seconds": _seconds(known.outbox_lag_seconds),
        "waiting_seats": known.waiting_seats,
        "dead_letters": known.dead_letters,
    }


def _p95(counts: Sequence[int]) -> float | None:
    found = percentile(counts, 0.95)
    return None if found is None else round(found, 1)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
