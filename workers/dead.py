"""Counts workers that have died over what this one is about to try, before it tries.

One rule: what killed one worker must not take the next one unwatched.
"""

import asyncio
from uuid import UUID

from infra.postgres import workers
from infra.postgres.database import Database, Transaction
from workers.inflight import Inflight

DEATHS_ALONE = 3
"""An operation during which, alone, this many workers have died is failed without another try."""

# A worker that lives looks for its session every second, asks for another at once, and takes back what was counted.
_OBJECTION_SECONDS = 3.0
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
            if (await workers.reap_workers(tx, worker_id)).workers:
                return


async def is_undecided(tx: Transaction, tenant_id: int, operation_id: UUID, deaths_alone: int) -> bool:
    """Whether the operation would be failed for its deaths, but the last is so fresh that its worker may yet object.

    Whoever is told so leaves the operation alone, and its tenant to the poll.
    """
    return deaths_alone >= DEATHS_ALONE and await workers.is_undecided(
        tx, tenant_id, operation_id, deaths_alone=deaths_alone, seconds=_OBJECTION_SECONDS
    )


async def take_turns(tx: Transaction, inflight: Inflight, *, attempts: int) -> None:
    """After a crash of the server, what is suspected waits until no other suspect runs, in any worker.

    Else the next crash would be held against all of them. Called before it is named, so that who waits is not blamed.
    """
    if attempts and await inflight.is_careful():
        await workers.wait_for_suspects(tx)
