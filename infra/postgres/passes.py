"""What a pass asks of Postgres: tenants locked, their open operations read, and what became of them recorded."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json

from domain.errors import JSON
from domain.outcomes import OperationStatus
from infra.cloudevents import OutboxMessage
from infra.postgres.database import Reader, Row, Transaction
from infra.postgres.outbox_bodies import StoredBody
from infra.postgres.statements import load

_SQL = load("passes")
# In one pass; the next one takes the rest.
_MOST_CANCELLED = 1_000


@dataclass(slots=True, kw_only=True)
class TenantLog:
    """A locked tenant and its event counters, which only its holder may advance.

    With `has_cancellations` an operator wants some of its queued operations taken back.
    """

    tenant_id: int
    key: str
    event_seq: int
    type_seq: dict[str, int]
    at: datetime
    has_cancellations: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOperation:
    """A queued operation as a pass reads it."""

    tenant_id: int
    id: UUID
    seq: int
    kind: str
    request: dict[str, Any]
    dry_run: bool
    attempts: int
    deaths_alone: int
    failures: int
    items: int
    bytes: int
    reply_to: str | None
    request_id: str | None
    traceparent: str | None
    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What locked tenants have queued, in accept order, and those among them that have work which goes on in chunks."""

    queued: Mapping[int, Sequence[OpenOperation]]
    running: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The final state of one operation, or RUNNING with its answer. A failed one has an error and no response.

    `total` None leaves it as it was accepted. The sequences are those of its first and last event, as far as they are
    known, and `events` is how many it has told: others may stand between what it did and its end.
    """

    tenant_id: int
    id: UUID
    status: OperationStatus
    done: int
    total: int | None = None
    response: Mapping[str, JSON] | None = None
    error: Mapping[str, JSON] | None = None
    error_group: str | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A message for the outbox, the operation it tells of (of several, the first), and its body as it is stored."""

    tenant_id: int
    operation_id: UUID
    message: OutboxMessage
    stored: StoredBody


class Held(NamedTuple):
    """What a worker has named, and is done with once its transaction commits."""

    worker_id: int
    operation_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Tenants with queued operations, and tenants with work that goes on in chunks."""

    queued: frozenset[int]
    running: frozenset[int]


async def lock_tenants(tx: Transaction, tenant_ids: Iterable[int]) -> dict[int, TenantLog]:
    """Lock those of the tenants that nobody holds. Must be the first statement of its transaction."""
    rows = await tx.fetch(_SQL["lock_tenants"], tenant_ids=sorted(tenant_ids))
    return {
        row["tenant_id"]: TenantLog(
            tenant_id=row["tenant_id"],
            key=row["tenant_key"],
            event_seq=row["event_seq"],
            type_seq=row["type_seq"],
            at=row["at"],
            has_cancellations=row["has_cancellations"],
        )
        for row in rows
    }


async def read_open(tx: Transaction, shares: Mapping[int, int], *, most_items: int, most_bytes: int) -> Found:
    """Each tenant's oldest queued operations in accept order, at most its share, and no more than a pass may take."""
    rows = await tx.fetch(
        _SQL["read_open"],
        tenant_ids=list(shares),
        shares=list(shares.values()),
        most_items=most_items,
        most_bytes=most_bytes,
    )
    operations: dict[int, list[OpenOperation]] = {}
    for row in rows:
        operations.setdefault(row["tenant_id"], []).append(_open_operation(row))
    return Found(queued=operations, running=frozenset(row["tenant_id"] for row in rows if row["is_running"]))


async def read_cancelled(tx: Transaction, tenant_ids: Iterable[int]) -> list[OpenOperation]:
    """Queued operations of these locked tenants that an operator wants taken back, in the order of their logs."""
    rows = await tx.fetch(_SQL["read_cancelled"], tenant_ids=sorted(tenant_ids), rows=_MOST_CANCELLED)
    return [_open_operation(row) for row in rows]


async def tenants_with_open_work(reader: Reader) -> list[int]:
    """Every tenant that has something queued or running; reads one index entry a tenant."""
    return [row["tenant_id"] for row in await reader.fetch(_SQL["tenants_with_open_work"])]


async def still_open(reader: Reader, tenant_ids: Sequence[int]) -> Owed:
    """Those of the tenants that have something queued, or something running, by index probes."""
    rows = await reader.fetch(_SQL["still_open"], tenant_ids=list(tenant_ids))
    return Owed(
        queued=frozenset(row["tenant_id"] for row in rows if row["is_queued"]),
        running=frozenset(row["tenant_id"] for row in rows if row["is_running"]),
    )


async def record(
    tx: Transaction,
    *,
    finished: Sequence[Finished],
    announced: Sequence[Announced],
    logs: Sequence[TenantLog],
    held: Held | None = None,
) -> None:
    """End the operations (or say that they go on), append their messages and advance the tenants' counters.

    With `held` this is the last that its transaction writes.
    """
    if finished:
        await tx.execute(
            _SQL["finish_operations"],
            tenant_ids=[operation.tenant_id for operation in finished],
            ids=[operation.id for operation in finished],
            statuses=[operation.status.value for operation in finished],
            responses=[_json(operation.response) for operation in finished],
            errors=[_json(operation.error) for operation in finished],
            dones=[operation.done for operation in finished],
            totals=[operation.total for operation in finished],
            error_groups=[operation.error_group for operation in finished],
            first_sequences=[operation.first_sequence for operation in finished],
            last_sequences=[operation.last_sequence for operation in finished],
            events=[operation.events for operation in finished],
        )
    if not announced and held is None:
        return
    await tx.execute(
        _SQL["append_outbox"],
        tenant_ids=[row.tenant_id for row in announced],
        types=[row.message.type for row in announced],
        firsts=[row.message.first_sequence for row in announced],
        lasts=[row.message.last_sequence for row in announced],
        operation_ids=[row.operation_id for row in announced],
        routing_keys=[row.message.routing_key for row in announced],
        bodies=[row.stored.body for row in announced],
        bytes=[row.stored.bytes for row in announced],
        log_tenant_ids=[log.tenant_id for log in logs],
        event_seqs=[log.event_seq for log in logs],
        type_seqs=[json.dumps(log.type_seq, separators=(",", ":")) for log in logs],
        worker_id=None if held is None else held.worker_id,
        held=[] if held is None else held.operation_ids,
    )


async def count_attempt(tx: Transaction, tenant_id: int, operation_id: UUID) -> None:
    """Count a statement timeout against an operation that ran alone."""
    await tx.execute(_SQL["count_attempt"], tenant_id=tenant_id, id=operation_id)


def _open_operation(row: Row) -> OpenOperation:
    return OpenOperation(
        tenant_id=row["tenant_id"],
        id=row["id"],
        seq=row["seq"],
        kind=row["kind"],
        request=row["request"],
        dry_run=row["dry_run"],
        attempts=row["attempts"],
        deaths_alone=row["deaths_alone"],
        failures=row["failures"],
        items=row["items"],
        bytes=row["bytes"],
        reply_to=row["reply_to"],
        request_id=row["request_id"],
        traceparent=row["traceparent"],
        queued_at=row["queued_at"],
    )


def _json(document: Mapping[str, JSON] | None) -> str | None:
    # Three times as quick as json.dumps, which would refuse what is no JSON; its type says that it is.
    return None if document is None else to_json(document).decode()
