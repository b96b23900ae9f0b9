"""Workers as rows and locks: who lives, what each holds, and what the dead have left behind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errors import JSON
from infra.postgres.database import Session, Transaction
from infra.postgres.statements import load

_SQL = load("workers")

# The first half of the advisory lock's key; the second is the worker's id.
LOCK_CLASS = 5_391


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


async def register_worker(session: Session, *, name: str, version: str) -> int:
    """Add the worker's row and take its liveness lock, on the session whose end is the worker's death."""
    rows = await session.fetch(_SQL["register_worker"], name=name, version=version, lock_class=LOCK_CLASS)
    worker_id: int = rows[0]["id"]
    return worker_id


async def name_inflight(
    session: Session,
    worker_id: int,
    operations: Sequence[tuple[int, UUID]],
    beside: Sequence[tuple[int, UUID]],
    *,
    counted: int,
) -> bool | None:
    """Name what the worker's pass is about to run, and `beside` it its chunk, in a transaction of its own.

    `counted` are the attempts and deaths of the operations as they were read. True: another worker's row still names
    one of their tenants, as a dead one's does, or its death has been counted since. None: the row is gone, so register
    anew.
    """
    named = [*operations, *beside]
    rows = await session.fetch(
        _SQL["name_inflight"],
        worker_id=worker_id,
        tenant_ids=[tenant_id for tenant_id, _ in named],
        operation_ids=[operation_id for _, operation_id in named],
        held=sorted({tenant_id for tenant_id, _ in operations}),
        read_tenant_ids=[tenant_id for tenant_id, _ in operations],
        read_ids=[operation_id for _, operation_id in operations],
        counted=counted,
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
    """A worker that leaves in order takes its row along."""
    await session.execute(_SQL["remove_worker"], worker_id=worker_id)
