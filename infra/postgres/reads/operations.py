"""Operations as their callers look them up: one by its id, or a page, newest first.

One rule: a page leaves out requests and answers, which may be large; the single read has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.outcomes import OperationStatus
from infra.postgres.database import Reads, Row
from infra.postgres.operations import OperationView, read_operations
from infra.postgres.reads.pages import Page, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_operations")
NEWEST = 2**63 - 1  # before every seq


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """An operation without its request and its answer."""

    id: UUID
    kind: str
    status: OperationStatus
    dry_run: bool
    done: int
    total: int
    error: dict[str, Any] | None
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    superseded_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFilter:
    """What the operations of a list have in common; None asks nothing. `since` is the earliest acceptance."""

    statuses: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    since: datetime | None = None


async def find_operation(database: Reads, tenant_id: int, operation_id: UUID) -> OperationView | None:
    """The operation of this tenant, if there is one."""
    async with database.transaction() as tx:
        found = await read_operations(tx, [(tenant_id, operation_id)])
    return found[0] if found else None


async def page_of_operations(
    database: Reads, tenant_id: int, *, wanted: OperationFilter, before: int = NEWEST, limit: int
) -> Page[OperationRow]:
    """Operations accepted before the place `before`, newest first."""
    window = window_for(limit, wanted.statuses, wanted.kinds, wanted.since)
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _SQL["page_of_operations"],
            tenant_id=tenant_id,
            before=before,
            statuses=wanted.statuses,
            kinds=wanted.kinds,
            since=wanted.since,
            window=window,
            limit=limit,
        )
    return cut(rows, limit=limit, window=window, read=_operation)


def _operation(row: Row) -> OperationRow:
    return OperationRow(
        id=row["id"],
        kind=row["kind"],
        status=OperationStatus(row["status"]),
        dry_run=row["dry_run"],
        done=row["done"],
        total=row["total"],
        error=row["error"],
        accepted_at=row["accepted_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        superseded_by=row["superseded_by"],
    )
