"""What processes have measured, as rows: counts by slots of time, and samples of the whole that one takes for all.

One rule: rows are written without waiting for the disk; what a crash of the server takes along is not missed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from infra.postgres.database import Database, Reader, Row, Transaction
from infra.postgres.reads.overview import QueueState, read_queue
from infra.postgres.statements import load

_SQL = load("measures")

SLOT = timedelta(seconds=5)
"""What one row stands for."""

_SAMPLE_LOCK = 5_391_004


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a process has counted since it last wrote; times as counts by bounds."""

    accepted: int
    applied: int
    events: int
    accept_counts: Sequence[int]
    apply_counts: Sequence[int]

    @property
    def is_nothing(self) -> bool:
        """Nothing has happened."""
        return not (self.accepted or self.applied or self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The installation as one process has found it for all."""

    at: datetime
    age_seconds: float
    waiting_seats: int
    queue: QueueState
    dead_letters_by_code: Mapping[str, int]


async def add_process_measure(tx: Transaction, process_id: UUID, counted: Counted) -> None:
    """Add to what this process has counted in the present slot."""
    await tx.execute(_SQL["without_waiting"])
    await tx.execute(
        _SQL["add_process_measure"],
        slot=SLOT,
        process_id=process_id,
        accepted=counted.accepted,
        applied=counted.applied,
        events=counted.events,
        accept_counts=counted.accept_counts,
        apply_counts=counted.apply_counts,
    )


async def take_sample(database: Database) -> bool:
    """Take the sample of the present slot, unless another process has, or is about to; whether it was this one."""
    async with database.transaction() as tx:
        [row] = await tx.fetch(_SQL["sample_is_due"], lock=_SAMPLE_LOCK, slot=SLOT)
        if not row["is_due"]:
            return False
        await tx.execute(_SQL["without_waiting"])
        queue = await read_queue(tx)
        await tx.execute(
            _SQL["add_sample"],
            slot=SLOT,
            depth=queue.depth,
            depth_is_capped=queue.depth_is_capped,
            running=queue.running,
            oldest_age_seconds=queue.oldest_age_seconds,
            outbox_pending=queue.outbox_pending,
            outbox_lag_seconds=queue.outbox_lag_seconds,
            dead_letters=queue.dead_letters,
            dead_letters_by_code=json.dumps(dict(queue.dead_letters_by_code)),
            workers_alive=queue.workers_alive,
        )
    return True


async def last_sample(reader: Reader) -> Sample | None:
    """The newest sample; None before the first."""
    rows = await reader.fetch(_SQL["last_sample"])
    return _sample(rows[0]) if rows else None


async def remove_old_measures(tx: Transaction, *, keep: timedelta, batch: int) -> int:
    """Remove up to `batch` rows of each kind that are older than that; returns how many."""
    measures = await tx.fetch(_SQL["remove_old_measures"], keep=keep, batch=batch)
    samples = await tx.fetch(_SQL["remove_old_samples"], keep=keep, batch=batch)
    return len(measures) + len(samples)


def _sample(row: Row) -> Sample:
    return Sample(
        at=row["at"],
        age_seconds=row["age_seconds"],
        waiting_seats=row["waiting_seats"],
        dead_letters_by_code=row["dead_letters_by_code"],
        queue=QueueState(
            depth=row["depth"],
            depth_is_capped=row["depth_is_capped"],
            running=row["running"],
            oldest=None,
            oldest_age_seconds=row["oldest_age_seconds"],
            outbox_pending=row["outbox_pending"],
            outbox_lag_seconds=row["outbox_lag_seconds"],
            dead_letters_by_code=row["dead_letters_by_code"],
            workers_alive=row["workers_alive"],
        ),
    )
