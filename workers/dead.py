"""Counts workers that have died over what this one is about to try, before it tries.

One rule: what killed one worker must not take the next one unwatched.
"""

import asyncio

from infra.postgres.database import Database
from infra.postgres.workers import reap_workers

_LOOKS = (0.0, 0.05, 0.2)


class LeftBehindError(Exception):
    """A worker died over one of these tenants, and its death has not been counted yet."""


async def count_the_dead(database: Database, worker_id: int) -> None:
    """Reap dead workers, as the poll does.

    The server needs a moment to see that a process is gone. A row that stays is of a worker that lives.
    """
    for pause in _LOOKS:
        await asyncio.sleep(pause)
        async with database.transaction() as tx:
            if (await reap_workers(tx, worker_id)).workers:
                return
