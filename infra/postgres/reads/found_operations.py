"""Operations as operators find them: of all tenants or of one, by id, key, status, kind, time, or whom they name.

One rule: a page reads a bounded number of rows. Where that ends before the page is full, it says how far it has looked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.mentions import Mentioned, Thing, names_all
from domain.outcomes import OperationStatus
from infra.postgres.database import Database, Reader, Row
from infra.postgres.statements import load

_SQL = load("read_found_operations")

LONGEST_MESSAGE = 10_240
_NEWEST = 2**63 - 1
_WINDOW = 10_000
_SMALL_WINDOW = 1_000
# Of requests that are read as a whole.
_REQUESTS = 2_000
_REQUEST_BYTES = 8 * 1024 * 1024
# Walks of one page, where the first ones find too few.
_ROUNDS = 5
_OPEN = frozenset({OperationStatus.QUEUED, OperationStatus.RUNNING})

Key = tuple[int, UUID]


class KeyHeld(NamedTuple):
    """An operation that holds an idempotency key, and the digest of the request that it was made of."""

    operation: Key
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOperation:
    """An operation without its request and its answer; `tenant` is a key."""

    tenant: str
    id: UUID
    seq: int
    kind: str
    status: OperationStatus
    dry_run: bool
    attempts: int
    done: int
    total: int
    code: str | None
    message: str | None
    error_group: str | None
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    discarded_at: datetime | None
    discard_reason: str | None
    request_id: str | None
    idempotency_key: str | None
    superseded_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """Operations, newest first. `scanned_until` is how far back was looked, where more may follow."""

    items: Sequence[FoundOperation]
    next: int | None = None
    scanned_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; None asks nothing. `named` needs a tenant."""

    tenant_id: int | None = None
    statuses: Sequence[OperationStatus] | None = None
    kinds: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    named: Mentioned | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """What one walk found, and where the next one begins."""

    keys: Sequence[tuple[int, UUID, int]]
    next: int | None
    scanned_until: datetime | None


async def tenant_of_key(reader: Reader, key: str) -> int | None:
    """The tenant with this key."""
    rows = await reader.fetch(_SQL["tenant_of_key"], key=key)
    return rows[0]["id"] if rows else None


async def place_of(reader: Reader, operation_id: UUID, tenant_id: int | None = None) -> Key | None:
    """Whose operation this is; None where it is nobody's."""
    rows = await reader.fetch(_SQL["places_by_id"], id=operation_id, tenant_id=tenant_id)
    return (rows[0]["tenant_id"], rows[0]["id"]) if rows else None


async def places_by_key(reader: Reader, idempotency_key: str, tenant_id: int | None = None) -> list[KeyHeld]:
    """The operations with this idempotency key, newest first."""
    rows = await reader.fetch(_SQL["places_by_key"], idempotency_key=idempotency_key, tenant_id=tenant_id)
    return [KeyHeld((row["tenant_id"], row["id"]), row["fingerprint"]) for row in rows]


async def mentioned(
    reader: Reader, tenant_id: int, *, user: str | None, group: str | None, license_key: str | None
) -> Mentioned:
    """The things of these keys, with their numbers where they exist."""
    [row] = await reader.fetch(
        _SQL["numbers_of_keys"], tenant_id=tenant_id, user=user, group=group, license=license_key
    )
    return Mentioned(
        user=None if user is None else Thing(user, row["user_id"]),
        group=None if group is None else Thing(group, row["group_id"]),
        license=None if license_key is None else Thing(license_key, row["license_id"]),
    )


async def listed_operations(reader: Reader, keys: Sequence[Key]) -> list[FoundOperation]:
    """These operations, in this order."""
    rows = await reader.fetch(
        _SQL["listed_operations"],
        tenant_ids=[tenant_id for tenant_id, _ in keys],
        ids=[operation_id for _, operation_id in keys],
        longest=LONGEST_MESSAGE,
    )
    return [_found(row) for row in rows]


async def find_operations(database: Database, wanted: Wanted, *, before: int | None = None, limit: int) -> FoundPage:
    """Operations accepted before the place `before`, newest first; walks on as long as too few are found."""
    place = before
    if place is None:
        [row] = await database.fetch(_SQL["newest_place"])
        place = row["place"]
    keys: list[tuple[int, UUID, int]] = []
    scanned_until = None
    for _ in range(_ROUNDS):
        walk = await _walk(database, wanted, before=place, limit=limit - len(keys))
        keys += walk.keys
        scanned_until = walk.scanned_until or scanned_until
        place = walk.next
        if len(keys) >= limit or place is None:
            break
    items = await listed_operations(database, [(tenant_id, number) for tenant_id, number, _ in keys])
    return FoundPage(items=items, next=place, scanned_until=None if place is None else scanned_until)


async def _walk(database: Database, wanted: Wanted, *, before: int, limit: int) -> _Walk:
    if wanted.named is not None and wanted.tenant_id is not None:
        return await _walk_requests(database, wanted, wanted.named, wanted.tenant_id, before=before, limit=limit)
    filters = (wanted.statuses, wanted.kinds, wanted.since, wanted.until)
    window = _SMALL_WINDOW if all(one is None for one in filters) else _WINDOW
    is_open = wanted.statuses is not None and set(wanted.statuses) <= _OPEN
    statement = "walk_open_operations" if is_open else "walk_operations"
    floor = 0 if wanted.tenant_id is not None else max(before - window, 0)
    rows = await database.fetch(
        _SQL[statement],
        tenant_id=wanted.tenant_id,
        before=before,
        floor=floor,
        window=window,
        statuses=None if wanted.statuses is None else [status.value for status in wanted.statuses],
        kinds=wanted.kinds,
        since=wanted.since,
        until=wanted.until,
        limit=limit,
    )
    frame = rows[0]
    keys = [(row["tenant_id"], row["id"], row["seq"]) for row in rows if row["id"] is not None]
    if len(keys) > limit:
        return _Walk(keys=keys[:limit], next=keys[limit - 1][2], scanned_until=frame["scanned_until"])
    if wanted.tenant_id is not None:
        following = frame["last"] if frame["scanned"] == window else None
    else:
        following = None if frame["further"] is None else frame["further"] + 1
    return _Walk(keys=keys, next=following, scanned_until=frame["scanned_until"])


async def _walk_requests(
    database: Database, wanted: Wanted, named: Mentioned, tenant_id: int, *, before: int, limit: int
) -> _Walk:
    things = named.things
    rows = await database.fetch(
        _SQL["walk_requests"],
        tenant_id=tenant_id,
        before=before,
        window=_REQUESTS,
        most_bytes=_REQUEST_BYTES,
        statuses=None if wanted.statuses is None else [status.value for status in wanted.statuses],
        kinds=wanted.kinds,
        since=wanted.since,
        until=wanted.until,
        texts=[json.dumps(thing.key, ensure_ascii=False) for _, thing in things],
        numbers=[None if thing.number is None else str(thing.number) for _, thing in things],
    )
    frame = rows[0]
    keys = [
        (row["tenant_id"], row["id"], row["seq"])
        for row in rows
        if row["id"] is not None and names_all(row["kind"], row["request"], named)
    ]
    if len(keys) > limit:
        return _Walk(keys=keys[:limit], next=keys[limit - 1][2], scanned_until=frame["scanned_until"])
    return _Walk(keys=keys, next=frame["last"] if frame["scanned"] else None, scanned_until=frame["scanned_until"])


def _found(row: Row) -> FoundOperation:
    fields: dict[str, Any] = {name: row[name] for name in FoundOperation.__dataclass_fields__ if name != "status"}
    return FoundOperation(status=OperationStatus(row["status"]), **fields)
