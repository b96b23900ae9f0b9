"""The installation at a glance: its queue, its outbox, its dead letters, and what its processes have measured.

One rule: nothing is read whole. Counts end at `COUNTED`; what would have to be summed comes from the last sample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from infra.postgres.database import Database, Reader, Row
from infra.postgres.statements import load
from infra.postgres.workers import LOCK_CLASS

_SQL = load("read_overview")

COUNTED = 10_000
"""How far rows are counted: some milliseconds of an index."""

RATE_SECONDS = 10.0
TIMES_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestOperation:
    """The operation that has been queued for longest."""

    tenant: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What waits and what has failed. Ages are None where nothing waits."""

    depth: int
    depth_is_capped: bool
    running: int
    oldest: OldestOperation | None
    oldest_age_seconds: float | None
    outbox_pending: int
    outbox_lag_seconds: float | None
    dead_letters_by_code: Mapping[str, int]
    workers_alive: int

    @property
    def dead_letters(self) -> int:
        """Of all errors."""
        return sum(self.dead_letters_by_code.values())


@dataclass(slots=True, kw_only=True)
class Measured:
    """What all processes together have counted in a time; times as counts by bounds, empty where there are none."""

    seconds: float
    accepted: int = 0
    applied: int = 0
    events: int = 0
    accept_counts: Sequence[int] = field(default=())
    apply_counts: Sequence[int] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One step of the history; what was counted in it, and the worst of its samples, None where there is none."""

    at: datetime
    measured: Measured
    depth: int | None
    oldest_age_seconds: float | None
    outbox_lag_seconds: float | None
    waiting_seats: int | None
    dead_letters: int | None


async def read_queue(reader: Reader) -> QueueState:
    """The queue, the outbox, the dead letters and the workers as they stand now."""
    [queued] = await reader.fetch(_SQL["open_operations"], counted=COUNTED + 1)
    oldest = await reader.fetch(_SQL["oldest_queued"], counted=COUNTED)
    [running] = await reader.fetch(_SQL["running_operations"], counted=COUNTED)
    [outbox] = await reader.fetch(_SQL["pending_outbox"], counted=COUNTED)
    failed = await reader.fetch(_SQL["dead_letters"])
    return QueueState(
        depth=min(queued["queued"], COUNTED),
        depth_is_capped=queued["scanned"] > COUNTED,
        running=running["running"],
        oldest=OldestOperation(tenant=oldest[0]["tenant_key"], id=oldest[0]["id"]) if oldest else None,
        oldest_age_seconds=oldest[0]["age_seconds"] if oldest else None,
        outbox_pending=outbox["pending"],
        outbox_lag_seconds=outbox["lag_seconds"],
        dead_letters_by_code={row["code"]: row["count"] for row in failed},
        workers_alive=await count_workers(reader),
    )


async def present(reader: Reader) -> datetime:
    """What time it is."""
    [row] = await reader.fetch(_SQL["present"])
    at: datetime = row["at"]
    return at


async def count_workers(reader: Reader) -> int:
    """Workers whose session lock stands."""
    [row] = await reader.fetch(_SQL["workers_alive"], lock_class=LOCK_CLASS)
    alive: int = row["alive"]
    return alive


async def recent_measures(reader: Reader) -> tuple[Measured, Measured]:
    """What has been counted in about the last 10 s, and in the last minute; slots are taken whole."""
    rows = await reader.fetch(_SQL["recent_measures"], period=timedelta(seconds=TIMES_SECONDS))
    latest = [row for row in rows if row["age_seconds"] <= RATE_SECONDS]
    return _added(latest, RATE_SECONDS), _added(rows, TIMES_SECONDS)


async def history(database: Database, *, window: timedelta, step: timedelta) -> list[HistoryPoint]:
    """The last `window` by steps, oldest first; steps of which nothing is known are left out."""
    async with database.snapshot() as tx:
        counted = {row["step"]: row for row in await tx.fetch(_SQL["history_of_measures"], period=window, step=step)}
        sampled = {row["step"]: row for row in await tx.fetch(_SQL["history_of_samples"], period=window, step=step)}
    return [_point(at, counted.get(at), sampled.get(at), step) for at in sorted(counted.keys() | sampled.keys())]


def _added(rows: Sequence[Row], seconds: float) -> Measured:
    # A slot is as old as its beginning: the oldest that is taken tells how long the time is that they cover.
    covered = max([seconds, *(row["age_seconds"] for row in rows)])
    return Measured(
        seconds=covered,
        accepted=sum(row["accepted"] for row in rows),
        applied=sum(row["applied"] for row in rows),
        events=sum(row["events"] for row in rows),
        accept_counts=[sum(counts) for counts in zip(*(row["accept_counts"] for row in rows), strict=True)],
        apply_counts=[sum(counts) for counts in zip(*(row["apply_counts"] for row in rows), strict=True)],
    )


def _point(at: datetime, counted: Row | None, sampled: Row | None, step: timedelta) -> HistoryPoint:
    measured = Measured(seconds=step.total_seconds())
    if counted is not None:
        measured = Measured(
            seconds=step.total_seconds(),
            accepted=int(counted["accepted"]),
            applied=int(counted["applied"]),
            events=int(counted["events"]),
            accept_counts=counted["accept_counts"],
            apply_counts=counted["apply_counts"],
        )
    worst: Row = sampled or {}
    return HistoryPoint(
        at=at,
        measured=measured,
        depth=worst.get("depth"),
        oldest_age_seconds=worst.get("oldest_age_seconds"),
        outbox_lag_seconds=worst.get("outbox_lag_seconds"),
        waiting_seats=worst.get("waiting_seats"),
        dead_letters=worst.get("dead_letters"),
    )
