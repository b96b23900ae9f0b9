"""The poll: finds open work that no claim announced, dates that have come, and what dead workers have left.

One rule: this one poll covers a lost claim, a purged or deleted queue, a dead worker, dated work and a broker that is
not there; claims are never published again.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import structlog

from infra.postgres.database import Database
from infra.postgres.due import fire_dates
from infra.postgres.faults import is_transient
from infra.postgres.passes import tenants_with_open_work
from infra.postgres.workers import reap_workers
from workers.ready import FoundBy, ReadySet

log = structlog.get_logger(__name__)

_REAP_EVERY = 1.0
# Without a broker the poll looks far more often than a date needs it.
_FIRE_EVERY = 0.25


class Poll:
    """Looks about every second, with jitter; much more often while no broker can be reached."""

    def __init__(
        self,
        *,
        database: Database,
        ready: ReadySet,
        worker_id: Callable[[], int],
        broker_reachable: Callable[[], bool],
        interval: timedelta,
        interval_without_broker: timedelta,
    ) -> None:
        self._database = database
        self._ready = ready
        self._worker_id = worker_id
        self._broker_reachable = broker_reachable
        self._interval = interval.total_seconds()
        self._interval_without_broker = interval_without_broker.total_seconds()
        self._reap_at = 0.0
        self._fire_at = 0.0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            pause = self._interval if self._broker_reachable() else self._interval_without_broker
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            try:
                await self.once()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.info("the poll could not ask", error=repr(error))
                await asyncio.sleep(self._interval)

    async def once(self) -> None:
        """One look: reap the dead and fire dates when it is time, then make every tenant with open work ready."""
        now = asyncio.get_running_loop().time()
        if now >= self._reap_at and self._worker_id():
            await self._reap()
            self._reap_at = now + _REAP_EVERY
        if now >= self._fire_at:
            await fire_dates(self._database)
            self._fire_at = now + _FIRE_EVERY
        for tenant_id in await tenants_with_open_work(self._database):
            self._ready.add(tenant_id, found_by=FoundBy.POLL)

    async def _reap(self) -> None:
        async with self._database.transaction() as tx:
            reaped = await reap_workers(tx, self._worker_id())
        if reaped.workers:
            self._database.measures.applying.reaped.add(reaped.workers)
            log.warning("workers have died", workers=reaped.workers, operations=reaped.operations)
