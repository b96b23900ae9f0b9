"""Licences with their seats: one by its key, or a page in the order of their ids.

One rule: every question names its tenant; another tenant's key is a key that does not exist.
"""

from dataclasses import dataclass
from datetime import datetime

from infra.postgres.database import Reads, Row
from infra.postgres.reads.pages import Page, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_licenses")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseRow:
    """A licence; `capacity` None is without limit, `waiting` counts whoever waits for whatever reason."""

    id: int
    key: str
    name: str
    kind: str
    code: str | None
    program_key: str | None
    program_name: str | None
    capacity: int | None
    used: int
    reserved: int
    waiting: int
    active: bool
    starts_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFilter:
    """What the licences of a list have in common; None asks nothing."""

    kind: str | None = None
    active: bool | None = None
    name: str | None = None
    code: str | None = None
    program_key: str | None = None


async def find_license(database: Reads, tenant_id: int, key: str) -> LicenseRow | None:
    """The licence with this key, if there is one."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["find_license"], tenant_id=tenant_id, key=key)
    return _license(rows[0]) if rows else None


async def page_of_licenses(
    database: Reads, tenant_id: int, *, wanted: LicenseFilter, after: int, limit: int
) -> Page[LicenseRow]:
    """Licences behind the id `after`."""
    window = window_for(limit, wanted.kind, wanted.active, wanted.name, wanted.code, wanted.program_key)
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _SQL["page_of_licenses"],
            tenant_id=tenant_id,
            kind=wanted.kind,
            active=wanted.active,
            name=wanted.name,
            code=wanted.code,
            program_key=wanted.program_key,
            after=after,
            limit=limit,
            window=window,
        )
    return cut(rows, limit=limit, window=window, read=_license)


def _license(row: Row) -> LicenseRow:
    return LicenseRow(
        id=row["id"],
        key=row["key"],
        name=row["name"],
        kind=row["kind"],
        code=row["code"],
        program_key=row["program_key"],
        program_name=row["program_name"],
        capacity=row["capacity"],
        used=row["used"],
        reserved=row["reserved"],
        waiting=row["waiting"],
        active=row["active"],
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
    )
