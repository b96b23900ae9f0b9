"""The audit trail as operators read it, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.audit import Actor, AuditRecord
from infra.postgres.database import Database, Row
from infra.postgres.reads.pages import Page, cut, window_for
from infra.postgres.statements import load

NEWEST = 2**63 - 1  # before every entry
_SQL = load("read_audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What entries have in common; None asks nothing. `actor` is a token's id or name, or "command line"."""

    actor: str | None = None
    actions: Sequence[str] | None = None
    tenant: str | None = None
    since: datetime | None = None


async def page_of_audit(
    database: Database, *, wanted: AuditFilter, before: int = NEWEST, limit: int
) -> Page[AuditRecord]:
    """Entries written before the place `before`, newest first."""
    window = window_for(limit, wanted.actor, wanted.actions, wanted.tenant, wanted.since)
    rows = await database.fetch(
        _SQL["page_of_audit"],
        before=before,
        since=wanted.since,
        actions=wanted.actions,
        tenant=wanted.tenant,
        actor=wanted.actor,
        window=window,
        limit=limit,
    )
    return cut(rows, limit=limit, window=window, read=_record)


def _record(row: Row) -> AuditRecord:
    return AuditRecord(
        id=row["id"],
        at=row["at"],
        actor=Actor(token_id=row["token_id"], name=row["actor"]),
        action=row["action"],
        tenant=row["tenant_key"],
        subject=row["subject"],
        details=row["details"],
    )
