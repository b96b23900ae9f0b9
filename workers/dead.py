"""Counts workers that have died over what this one is about to try, before it tries, and says who waits because of it.

One rule: what killed one worker must not take the next one unwatched.
"""

import asyncio
from typing import NamedTuple
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


class Tried(NamedTuple):
    """An operation, and what was counted against it."""

    tenant_id: int
    id: UUID
    attempts: int
    deaths_alone: int


async def must_wait(tx: Transaction, inflight: Inflight, tried: Tried) -> bool:
    """Whether an operation that was tried before is left alone for now, and its tenant to the poll.

    It would be failed for its deaths, but the last is so fresh that its worker may yet object. Or the server has
    crashed lately, and another suspect runs: the next crash would be held against both. One that need not wait for
    that reason has its turn until its transaction ends. Asked before it is named, so that who waits is not blamed.
    """
    if tried.deaths_alone >= DEATHS_ALONE:
        return await workers.is_undecided(
            tx, tried.tenant_id, tried.id, deaths_alone=tried.deaths_alone, seconds=_OBJECTION_SECONDS
        )
    return tried.attempts > 0 and await inflight.is_careful() and not await workers.take_suspects_turn(tx)
