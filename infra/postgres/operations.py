"""Operations as rows: accepting them and reading them back.

One rule: the row is the truth of a command from its acceptance to its answer; nothing else remembers it.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from domain.codec import encode, kind_of, size_of
from domain.commands import Command
from domain.errors import JSON
from domain.outcomes import OperationStatus
from infra.postgres.database import Reader, Row, Transaction
from infra.postgres.statements import load

_SQL = load("operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How the caller wants the answer: the form that renders it, the language, and the form's own options.

    Stored with the operation and opaque below the doors, so that a replay renders the same answer.
    """

    form: str
    language: str = "en"
    options: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """A command about to be accepted. `fingerprint` tells whether a reused idempotency key means the same request."""

    tenant_id: int
    id: UUID
    command: Command
    presentation: Presentation
    fingerprint: bytes
    idempotency_key: str | None = None
    dry_run: bool = False
    reply_to: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """An operation as the doors read it. `done` and `total` count items, or members for a fan-out."""

    tenant_id: int
    id: UUID
    seq: int
    kind: str
    status: OperationStatus
    dry_run: bool
    request: dict[str, Any]
    presentation: Presentation
    response: dict[str, Any] | None
    error: dict[str, Any] | None
    attempts: int
    done: int
    total: int
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    superseded_by: UUID | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """The operation that already holds an idempotency key."""

    id: UUID
    fingerprint: bytes


def new_operation_id() -> UUID:
    """A version 7 UUID (RFC 9562): its first 48 bits are the milliseconds, so that neighbours in time share pages."""
    random_bits = int.from_bytes(os.urandom(10))
    value = (time.time_ns() // 1_000_000) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


async def accept_operations(tx: Transaction, operations: Sequence[NewOperation]) -> dict[UUID, OperationView]:
    """Insert the operations; returns those that are in, which leaves out those whose idempotency key is taken."""
    requests = [encode(operation.command) for operation in operations]
    rows = await tx.fetch(
        _SQL["accept_operations"],
        tenant_ids=[operation.tenant_id for operation in operations],
        ids=[operation.id for operation in operations],
        kinds=[kind_of(operation.command).value for operation in operations],
        dry_runs=[operation.dry_run for operation in operations],
        items=[size_of(operation.command) for operation in operations],
        requests=[_compact(request) for request in requests],
        presentations=[_presentation_document(operation.presentation) for operation in operations],
        replies_to=[operation.reply_to for operation in operations],
        idempotency_keys=[operation.idempotency_key for operation in operations],
        fingerprints=[operation.fingerprint for operation in operations],
        request_ids=[operation.request_id for operation in operations],
        traceparents=[operation.traceparent for operation in operations],
    )
    accepted = {row["id"]: row for row in rows}
    return {
        operation.id: _accepted_view(operation, request, accepted[operation.id])
        for operation, request in zip(operations, requests, strict=True)
        if operation.id in accepted
    }


async def accepted_by_key(tx: Transaction, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], KeyHolder]:
    """Who holds these (tenant, idempotency key) pairs."""
    asked = list(keys)
    rows = await tx.fetch(
        _SQL["accepted_by_key"],
        tenant_ids=[tenant_id for tenant_id, _ in asked],
        idempotency_keys=[key for _, key in asked],
    )
    return {
        (row["tenant_id"], row["idempotency_key"]): KeyHolder(id=row["id"], fingerprint=row["fingerprint"])
        for row in rows
    }


async def open_counts(tx: Transaction, tenant_ids: Sequence[int], *, counted: int) -> dict[int, int]:
    """How many operations of each tenant are open; a count that reaches `counted` may be larger in truth."""
    rows = await tx.fetch(_SQL["open_counts"], tenant_ids=list(tenant_ids), counted=counted)
    return {row["tenant_id"]: row["open"] for row in rows}


async def read_operations(reader: Reader, ids: Sequence[tuple[int, UUID]]) -> list[OperationView]:
    """The operations of these (tenant, id) pairs that exist, in no order."""
    rows = await reader.fetch(
        _SQL["read_operations"],
        tenant_ids=[tenant_id for tenant_id, _ in ids],
        ids=[operation_id for _, operation_id in ids],
    )
    return [view(row) for row in rows]


async def read_finished(
    reader: Reader, ids: Sequence[tuple[int, UUID]], requests: Mapping[UUID, dict[str, Any]] | None = None
) -> list[OperationView]:
    """Those of the operations that have an answer by now, in no order. `requests` are those that need not be read."""
    # As they are now: whoever waits for one may leave while the database answers.
    known = {number: requests[number] for _, number in ids if number in requests} if requests else {}
    rows = await reader.fetch(
        _SQL["read_finished"],
        tenant_ids=[tenant_id for tenant_id, _ in ids],
        ids=[operation_id for _, operation_id in ids],
        known=[operation_id in known for _, operation_id in ids],
    )
    return [view(row, request=known.get(row["id"])) for row in rows]


def view(row: Row, *, request: dict[str, Any] | None = None) -> OperationView:
    """A row with the columns of `read_operations` as a value; its request may be known already."""
    return OperationView(
        tenant_id=row["tenant_id"],
        id=row["id"],
        seq=row["seq"],
        kind=row["kind"],
        status=OperationStatus(row["status"]),
        dry_run=row["dry_run"],
        request=row["request"] if request is None else request,
        presentation=_presentation(row["presentation"]),
        response=row["response"],
        error=row["error"],
        attempts=row["attempts"],
        done=row["done"],
        total=row["total"],
        accepted_at=row["accepted_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        superseded_by=row["superseded_by"],
        request_id=row["request_id"],
    )


def _accepted_view(operation: NewOperation, request: dict[str, Any], row: Row) -> OperationView:
    return OperationView(
        tenant_id=operation.tenant_id,
        id=operation.id,
        seq=row["seq"],
        kind=kind_of(operation.command).value,
        status=OperationStatus.QUEUED,
        dry_run=operation.dry_run,
        request=request,
        presentation=operation.presentation,
        response=None,
        error=None,
        attempts=0,
        done=0,
        total=size_of(operation.command),
        accepted_at=row["accepted_at"],
        started_at=None,
        finished_at=None,
        superseded_by=None,
        request_id=operation.request_id,
    )


def _presentation_document(presentation: Presentation) -> str:
    return _compact(
        {"form": presentation.form, "language": presentation.language, "options": dict(presentation.options)}
    )


def _presentation(document: Mapping[str, Any]) -> Presentation:
    return Presentation(form=document["form"], language=document["language"], options=document["options"])


def _compact(document: Mapping[str, JSON]) -> str:
    return to_json(document).decode()
