"""Removes operations and published events past their retention, a small batch at a time.

One rule: what is open, failed or not published stays, whatever its age.
"""

import asyncio
from datetime import timedelta

import structlog

from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.retention import remove_old_operations, remove_old_outbox

log = structlog.get_logger(__name__)

_BATCH = 1_000
_ROUND = timedelta(minutes=5)


class Retention:
    """Runs in every worker; two at once only take turns on the same rows."""

    def __init__(self, *, database: Database, keep: timedelta) -> None:
        self._database = database
        self._keep = keep

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.info("the sweep could not run", error=repr(error))
            await asyncio.sleep(_ROUND.total_seconds())

    async def sweep(self) -> int:
        """Remove everything that is past its retention by the database's clock; returns how many rows went."""
        removed = 0
        for remove in (remove_old_operations, remove_old_outbox):
            batch = _BATCH
            while batch == _BATCH:
                async with self._database.transaction() as tx:
                    batch = await remove(tx, keep=self._keep, batch=_BATCH)
                removed += batch
        if removed:
            log.info("old rows are removed", rows=removed)
        return removed
