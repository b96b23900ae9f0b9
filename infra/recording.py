"""Writes what a process has measured into the database, every second, and takes the sample of the whole in its turn.

One rule: it never stands in anybody's way. A database that does not answer costs the history some seconds and no more.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import structlog

from infra.measures import Measures
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.measures import Counted, Sample, add_process_measure, last_sample, remove_old_measures, take_sample
from infra.traces import trace

log = structlog.get_logger(__name__)

KEPT = timedelta(days=1)

_EVERY_SECONDS = 1.0
_SAMPLE_EVERY = 2
_REMOVE_EVERY = 300
_BATCH = 2_000


class Recorder:
    """A loop of every API process and every worker. `broker_up` is asked whenever it writes."""

    def __init__(self, *, database: Database, broker_up: Callable[[], bool]) -> None:
        self._database = database
        self._measures = database.measures
        self._broker_up = broker_up
        self._process_id = uuid4()
        self._written = _Written(self._measures)
        self._turns = 0

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            try:
                await self.once()
            except Exception as error:  # noqa: BLE001 - whatever it is, the process has more important things to do
                write = log.info if is_transient(error) else log.warning
                write("what was measured could not be written", error=trace(error))
            await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311 - jitter

    async def once(self) -> None:
        """Write what is new; now and then take or read the sample, and remove what is too old."""
        self._measures.broker_up.set(self._broker_up())
        await self._write()
        if self._turns % _SAMPLE_EVERY == 0:
            await take_sample(self._database)
            self._show(await last_sample(self._database))
        if self._turns % _REMOVE_EVERY == 0:
            await self._remove()
        self._turns += 1

    async def _write(self) -> None:
        counted, now = self._written.since()
        if counted.is_nothing:
            return
        async with self._database.transaction() as tx:
            await add_process_measure(tx, self._process_id, counted)
        self._written = now

    async def _remove(self) -> None:
        removed = _BATCH
        while removed >= _BATCH:
            async with self._database.transaction() as tx:
                removed = await remove_old_measures(tx, keep=KEPT, batch=_BATCH)

    def _show(self, sample: Sample | None) -> None:
        if sample is None:
            return
        shown, queue = self._measures.sampled, sample.queue
        shown.depth.set(queue.depth)
        shown.oldest_age.set(queue.oldest_age_seconds or 0.0)
        shown.running.set(queue.running)
        shown.outbox.set(queue.outbox_pending)
        shown.outbox_lag.set(queue.outbox_lag_seconds or 0.0)
        shown.waiting.set(sample.waiting_seats)
        shown.dead_letters.replace(sample.dead_letters_by_code)
        shown.workers.set(queue.workers_alive)
        shown.sampled.set(sample.at.timestamp())


class _Written:
    """The counters as they stood when they were last written."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self._accepted = measures.acceptance.accepted.total
        self._applied = measures.applying.applied.total
        self._events = measures.applying.events.total
        self._accepts = measures.acceptance.seconds.snapshot
        self._applies = measures.applying.seconds.snapshot

    def since(self) -> "tuple[Counted, _Written]":
        """What has been counted since, and how the counters stand now."""
        now = _Written(self._measures)
        counted = Counted(
            accepted=round(now._accepted - self._accepted),
            applied=round(now._applied - self._applied),
            events=round(now._events - self._events),
            accept_counts=now._accepts.since(self._accepts),
            apply_counts=now._applies.since(self._applies),
        )
        return counted, now
