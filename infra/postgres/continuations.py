"""Continuations in Postgres: what goes on in chunks, and how far it has come."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.codec import decode
from domain.commands import Command
from domain.continuations import Continuation, Continuing
from domain.entitlements import Named
from domain.outcomes import OperationStatus
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("continuations")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedOperation:
    """An operation whose last work is done."""

    id: UUID
    kind: str
    status: OperationStatus
    traceparent: str | None


async def read_running(tx: Transaction, tenant_ids: Iterable[int]) -> list[Continuation]:
    """What goes on in chunks for these tenants, each tenant's oldest first."""
    rows = await tx.fetch(_SQL["running"], tenant_ids=sorted(set(tenant_ids)))
    return [_continuation(row) for row in rows]


async def work_left(tx: Transaction, tenant_id: int, operation_id: UUID) -> int | None:
    """How many people the operation's continuations have yet to come to; None where it has none."""
    [row] = await tx.fetch(_SQL["work_left"], tenant_id=tenant_id, operation_id=operation_id)
    left: int | None = row["left"]
    return left


async def begin_continuation(tx: Transaction, of: Continuation) -> None:
    """Write the row of work that does not fit into its operation's own pass."""
    rows = await tx.fetch(
        _SQL["begin_continuation"],
        tenant_id=of.tenant_id,
        operation_id=of.operation_id,
        operation_seq=of.operation_seq,
        kind=of.kind.value,
        target_id=of.target.id,
        target_key=of.target.key,
        license_id=of.license_id,
        group_id=of.group_id,
        cursor=of.cursor,
        reserved=of.reserved,
        boundary=of.boundary,
        quota_boundary=of.quota_boundary,
        done=of.done,
        total=of.total,
    )
    of.id = rows[0]["id"]


async def move_continuations(
    tx: Transaction, moved: Sequence[tuple[Continuation, int]], *, by_chunk: bool = False
) -> None:
    """Write how far work has come; beside each stands how many people it has come to just now."""
    if moved:
        await tx.execute(
            _SQL["move_continuations"],
            tenant_ids=[one.tenant_id for one, _ in moved],
            ids=[one.id for one, _ in moved],
            cursors=[one.cursor for one, _ in moved],
            reserveds=[one.reserved for one, _ in moved],
            boundaries=[one.boundary for one, _ in moved],
            quota_boundaries=[one.quota_boundary for one, _ in moved],
            more=[more for _, more in moved],
            by_chunk=by_chunk,
        )


async def end_continuations(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> None:
    """Remove the rows of work that is done or was taken over; the seats that it still held are the caller's."""
    await tx.execute(_SQL["end_continuations"], tenant_id=tenant_id, ids=ids)


async def supersede_operations(tx: Transaction, tenant_id: int, operation_ids: Sequence[UUID], by: UUID) -> None:
    """Say of these operations that another one has taken over work of theirs."""
    await tx.execute(_SQL["supersede_operations"], tenant_id=tenant_id, operation_ids=operation_ids, superseded_by=by)


async def end_operations(tx: Transaction, tenant_id: int, operation_ids: Sequence[UUID]) -> list[EndedOperation]:
    """End those of these operations that have no work left; returns them."""
    rows = await tx.fetch(_SQL["end_operations"], tenant_id=tenant_id, operation_ids=operation_ids)
    return [_ended(row) for row in rows]


async def read_command_of(tx: Transaction, tenant_id: int, operation_id: UUID) -> Command:
    """What the operation was asked to do."""
    [row] = await tx.fetch(_SQL["request_of"], tenant_id=tenant_id, operation_id=operation_id)
    return decode(row["kind"], row["request"])


async def count_failed_chunk(tx: Transaction, of: Continuation) -> int:
    """Count a chunk that raised against its operation; returns how many have by now, one after the other."""
    rows = await tx.fetch(_SQL["count_failed_chunk"], tenant_id=of.tenant_id, operation_id=of.operation_id)
    return rows[0]["failures"] if rows else 0


async def fail_running(
    tx: Transaction, of: Continuation, error: Mapping[str, str], *, error_group: str
) -> list[EndedOperation]:
    """Give up all work of the operation and fail it, and remember what was left of the work; returns it."""
    rows = await tx.fetch(
        _SQL["fail_running"],
        tenant_id=of.tenant_id,
        operation_id=of.operation_id,
        error=json.dumps(error),
        error_group=error_group,
    )
    return [_ended(row) for row in rows]


def _ended(row: Row) -> EndedOperation:
    return EndedOperation(
        id=row["id"], kind=row["kind"], status=OperationStatus(row["status"]), traceparent=row["traceparent"]
    )


def _continuation(row: Row) -> Continuation:
    return Continuation(
        tenant_id=row["tenant_id"],
        id=row["id"],
        operation_id=row["operation_id"],
        operation_seq=row["operation_seq"],
        kind=Continuing(row["kind"]),
        target=Named(row["target_id"], row["target_key"]),
        license_id=row["license_id"],
        group_id=row["group_id"],
        cursor=row["cursor"],
        reserved=row["reserved"],
        boundary=row["boundary"],
        quota_boundary=row["quota_boundary"],
        done=row["done"],
        total=row["total"],
        operation_kind=row["operation_kind"],
        traceparent=row["traceparent"],
        attempts=row["attempts"],
        deaths_alone=row["deaths_alone"],
    )
