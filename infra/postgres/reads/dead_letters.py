"""Dead letters as operators read and count them.

One rule: a list walks an index that holds nothing but dead letters, a window at a time; counts are those of the errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.dead_letters import DeadLetterFilter
from infra.postgres.database import Database, Reader, Row
from infra.postgres.reads.found_operations import FoundOperation, listed_operations
from infra.postgres.reads.pages import Page, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_dead_letters")

NEWEST = 2**63 - 1
FIRST_ERROR = (2**63 - 1, "~")
"""Before every error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """An error, how many dead letters have it, and one of them. `message` is one line."""

    fingerprint: str
    kind: str
    code: str
    message: str
    count: int
    first_seen: datetime
    last_seen: datetime
    sample_tenant: str | None
    sample_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """Errors by their counts; `total` is how many dead letters there are."""

    items: Sequence[ErrorCount]
    total: int
    next: tuple[int, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """How many dead letters of one tenant are meant; `ids` where they were named."""

    tenant_id: int
    tenant: str
    matched: int
    ids: Sequence[UUID] | None = None


async def page_of_errors(
    database: Database, *, tenant_id: int | None = None, after: tuple[int, str] = FIRST_ERROR, limit: int
) -> ErrorPage:
    """Errors, those that most dead letters have first."""
    rows = await database.fetch(
        _SQL["page_of_errors"], tenant_id=tenant_id, count=after[0], fingerprint=after[1], limit=limit
    )
    found = [_error(row) for row in rows if row["fingerprint"] is not None]
    items = found[:limit]
    place = (items[-1].count, items[-1].fingerprint) if len(found) > limit else None
    return ErrorPage(items=items, total=rows[0]["total"], next=place)


async def page_of_dead_letters(
    database: Database, *, tenant_id: int | None, matching: DeadLetterFilter, before: int = NEWEST, limit: int
) -> Page[FoundOperation]:
    """Dead letters, newest first."""
    asked = (matching.code, matching.kind, matching.since, matching.until)
    window = window_for(limit, *asked)
    fingerprints = await _errors_meant(database, tenant_id, matching)
    if fingerprints == []:
        return Page(items=[], next=None)
    binds = {
        "tenant_id": tenant_id,
        "fingerprint": matching.fingerprint,
        "fingerprints": fingerprints,
        "before": before,
        "since": matching.since,
        "until": matching.until,
        "window": window,
        "limit": limit,
    }
    if matching.fingerprint is None:
        rows = await database.fetch(_SQL["dead_letters" if tenant_id is None else "dead_letters_of_tenant"], **binds)
    else:
        rows = await database.fetch(
            _SQL["dead_letters_of_error" if tenant_id is None else "dead_letters_of_error_of_tenant"], **binds
        )
    page = cut(rows, limit=limit, window=window, read=lambda row: (row["tenant_id"], row["id"]))
    return Page(items=await listed_operations(database, page.items), next=page.next)


async def count_meant(reader: Reader, *, tenant_id: int | None, matching: DeadLetterFilter) -> list[Meant]:
    """How many dead letters match, by tenant."""
    binds = {
        "tenant_id": tenant_id,
        "fingerprint": matching.fingerprint,
        "code": matching.code,
        "kind": matching.kind,
        "since": matching.since,
        "until": matching.until,
    }
    in_time = matching.since is not None or matching.until is not None
    rows = await reader.fetch(_SQL["count_meant_in_time" if in_time else "count_meant"], **binds)
    return [Meant(tenant_id=row["tenant_id"], tenant=row["tenant"], matched=row["matched"]) for row in rows]


async def count_named(reader: Reader, ids: Sequence[UUID]) -> list[Meant]:
    """Which of these operations are dead letters, by tenant."""
    rows = await reader.fetch(_SQL["count_named"], ids=list(ids))
    return [
        Meant(tenant_id=row["tenant_id"], tenant=row["tenant"], matched=row["matched"], ids=row["ids"]) for row in rows
    ]


async def _errors_meant(database: Database, tenant_id: int | None, matching: DeadLetterFilter) -> list[str] | None:
    """The errors of the code and kind that are asked for; None where neither is."""
    if matching.code is None and matching.kind is None:
        return None
    rows = await database.fetch(_SQL["errors_meant"], tenant_id=tenant_id, code=matching.code, kind=matching.kind)
    found = [row["fingerprint"] for row in rows]
    if matching.fingerprint is None:
        return found
    return [fingerprint for fingerprint in found if fingerprint == matching.fingerprint]


def _error(row: Row) -> ErrorCount:
    return ErrorCount(
        fingerprint=row["fingerprint"],
        kind=row["kind"],
        code=row["code"],
        message=row["message"],
        count=row["count"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        sample_tenant=row["sample_tenant"],
        sample_id=row["sample_id"],
    )
