"""Workers as rows and locks: who lives, what each holds, and what the dead have left behind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.errors import JSON
from infra.postgres.database import Session, Transaction
from infra.postgres.statements import load

_SQL = load("workers")

# The first half of the advisory lock's key; the second is the worker's id.
LOCK_CLASS = 5_391
_SUSPECTS_LOCK = 5_391_006


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """How many dead workers were found, and how many open operations they had held."""

    workers: int
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a worker tells those who watch: whether it publishes, and the chunk it has been at since it last told."""

    leads_relay: bool = False
    chunk: Mapping[str, JSON] | None = None


class Registered(NamedTuple):
    """The worker's row, and whether the server still knew the session before, a minute after its end at most."""

    worker_id: int
    is_known: bool


async def register_worker(
    session: Session,
    *,
    name: str,
    version: str,
    process: UUID,
    former: tuple[int, UUID] | None = None,
    running: Sequence[tuple[int, UUID]] = (),
) -> Registered:
    """Add the worker's row and take its liveness lock, on the session whose end is the worker's death.

    Rows of other sessions of this `process` go, also of one whose registration it never heard of; `running` is what it
    named there and has not ended. `former` are the row and the process of the session before.
    """
    former_id, former_process = former or (None, None)
    rows = await session.fetch(
        _SQL["register_worker"],
        name=name,
        version=version,
        process=process,
        former_id=former_id,
        former_process=former_process,
        tenant_ids=[tenant_id for tenant_id, _ in running],
        operation_ids=[operation_id for _, operation_id in running],
        lock_class=LOCK_CLASS,
    )
    return Registered(rows[0]["id"], rows[0]["is_known"])


async def name_quickly(session: Session) -> None:
    """From now on nobody waits until what this session names is on the disk."""
    await session.execute(_SQL["name_quickly"])


async def take_back(session: Session, worker_id: int, *, process: UUID) -> int:
    """This worker's process lives: take back what was counted as deaths of its other sessions.

    Returns against how many operations; against none where the server has crashed in between.
    """
    return len(await session.fetch(_SQL["take_back"], worker_id=worker_id, process=process))


async def is_undecided(
    tx: Transaction, tenant_id: int, operation_id: UUID, *, deaths_alone: int, seconds: float
) -> bool:
    """Whether an operation of which so many deaths alone were read is not to be failed for them yet.

    One was taken back since, or is no older than so many seconds.
    """
    rows = await tx.fetch(
        _SQL["is_undecided"], tenant_id=tenant_id, id=operation_id, deaths_alone=deaths_alone, seconds=seconds
    )
    return bool(rows and rows[0]["is_undecided"])


async def take_suspects_turn(tx: Transaction) -> bool:
    """Take the turn that suspects have one after the other, until the transaction ends; False: another has it."""
    rows = await tx.fetch(_SQL["take_suspects_turn"], lock=_SUSPECTS_LOCK)
    return bool(rows[0]["is_taken"])


async def name_inflight(
    session: Session,
    worker_id: int,
    operations: Sequence[tuple[int, UUID]],
    beside: Sequence[tuple[int, UUID]],
    *,
    counts: Sequence[int],
) -> bool | None:
    """Name what the worker's pass is about to run, and `beside` it its chunk, in a transaction of its own.

    `counts` are the attempts and deaths of each of the operations as they were read. True: another worker's row still
    names one of their tenants, as a dead one's does, or they have been counted anew since. None: the row is gone, so
    register anew.
    """
    named = [*operations, *beside]
    tenant_ids, ids = [tenant_id for tenant_id, _ in operations], [operation_id for _, operation_id in operations]
    rows = await session.fetch(
        _SQL["name_inflight"],
        worker_id=worker_id,
        tenant_ids=[tenant_id for tenant_id, _ in named],
        operation_ids=[operation_id for _, operation_id in named],
        held=sorted(set(tenant_ids)),
        read_tenant_ids=tenant_ids,
        read_ids=ids,
        read_counts=counts,
    )
    return bool(rows[0]["is_left_by_another"]) if rows else None


async def name_chunk(
    session: Session, worker_id: int, tenant_id: int, operation_id: UUID, *, counted: int
) -> bool | None:
    """Name the operation whose chunk is about to run, likewise, beside what a pass has named."""
    rows = await session.fetch(
        _SQL["name_chunk"], worker_id=worker_id, tenant_id=tenant_id, operation_id=operation_id, counted=counted
    )
    return bool(rows[0]["is_left_by_another"]) if rows else None


async def clear_inflight(session: Session, worker_id: int, operation_ids: Sequence[UUID]) -> None:
    """A pass or chunk was given up: name what it held no more."""
    await session.execute(_SQL["clear_inflight"], worker_id=worker_id, operation_ids=list(operation_ids))


async def see_worker(session: Session, worker_id: int, doing: Doing) -> bool:
    """Heartbeat. False: the row is gone, register anew."""
    chunk = None if doing.chunk is None else json.dumps(dict(doing.chunk))
    rows = await session.fetch(_SQL["seen"], worker_id=worker_id, leads_relay=doing.leads_relay, chunk=chunk)
    return bool(rows)


async def reap_workers(tx: Transaction, worker_id: int) -> Reaped:
    """Remove dead workers' rows and count their deaths against what they held."""
    rows = await tx.fetch(_SQL["reap_workers"], worker_id=worker_id, lock_class=LOCK_CLASS)
    return Reaped(workers=rows[0]["workers"], operations=rows[0]["operations"])


async def remove_worker(session: Session, worker_id: int) -> None:
    """A worker that leaves in order takes its rows along."""
    await session.execute(_SQL["remove_worker"], worker_id=worker_id)
