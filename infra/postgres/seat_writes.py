"""The net effect of a wave on entitlements, sources and counts, written in sets.

One rule: rows that end go first, since another row may take their person's place in the same wave.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.seat_rows import Seat
from domain.seat_writes import Moved, SeatChanges, SourceRow
from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("seats")

Columns = dict[str, list[object]]


async def write_seats(tx: Transaction, changes: SeatChanges) -> None:
    """Write the net effect. A constant number of statements; none for what did not change."""
    if changes.ended:
        tenant_ids, ids = [seat.tenant_id for seat in changes.ended], [seat.id for seat in changes.ended]
        await tx.execute(_SQL["end_sources_of_seats"], tenant_ids=tenant_ids, ids=ids)
        await tx.execute(_SQL["end_seats"], tenant_ids=tenant_ids, ids=ids)
    if changes.changed:
        updated_ats = [seat.updated_at for seat in changes.changed]
        await tx.execute(_SQL["change_seats"], **_seats(changes.changed), updated_ats=updated_ats)
    if changes.made:
        license_ids = [seat.license_id for seat in changes.made]
        await tx.execute(_SQL["make_seats"], **_seats(changes.made), license_ids=license_ids)
    await _write_sources(tx, changes)
    if changes.pools or changes.grants:
        await tx.execute(_SQL["move_counts"], **_pools(changes.pools), **_grants(changes.grants))


async def _write_sources(tx: Transaction, changes: SeatChanges) -> None:
    if changes.sources_gone:
        await tx.execute(
            _SQL["end_sources"],
            tenant_ids=[key.tenant_id for key in changes.sources_gone],
            entitlement_ids=[key.seat_id for key in changes.sources_gone],
            grant_ids=[key.grant_id for key in changes.sources_gone],
        )
    if changes.sources_changed:
        await tx.execute(
            _SQL["change_sources"],
            **_sources(changes.sources_changed),
            blocked=[row.source.blocked for row in changes.sources_changed],
            sinces=[row.source.since for row in changes.sources_changed],
        )
    if changes.sources_made:
        await tx.execute(
            _SQL["make_sources"],
            **_sources(changes.sources_made),
            user_ids=[row.user_id for row in changes.sources_made],
            blocked=_sparse([row.source.blocked or None for row in changes.sources_made]),
            sinces=_sparse([_unless_now(row.source.since, changes.at) for row in changes.sources_made]),
        )


def _seats(seats: Sequence[Seat]) -> Columns:
    return {
        "tenant_ids": [seat.tenant_id for seat in seats],
        "ids": [seat.id for seat in seats],
        "user_ids": [seat.user_id for seat in seats],
        "emails": _sparse([seat.email for seat in seats]),
        "email_keys": _sparse([seat.email_key for seat in seats]),
        "states": [seat.state for seat in seats],
        "asked_seqs": [seat.asked_seq for seat in seats],
        "redirects": _sparse([seat.redirect_to for seat in seats]),
        "metadatas": _sparse([seat.metadata for seat in seats]),
    }


def _sources(rows: Sequence[SourceRow]) -> Columns:
    return {
        "tenant_ids": [row.tenant_id for row in rows],
        "entitlement_ids": [row.seat_id for row in rows],
        "grant_ids": [row.source.grant_id for row in rows],
        "seqs": [row.source.seq for row in rows],
        "operation_ids": [row.source.operation_id for row in rows],
    }


def _sparse(values: list[object]) -> list[object]:
    """Nothing where all values are null: `unnest` makes NULLs of it, and a long column need not be encoded and sent."""
    return values if any(value is not None for value in values) else []


def _unless_now(instant: datetime, now: datetime) -> datetime | None:
    return None if instant == now else instant


def _pools(rows: Sequence[Moved]) -> Columns:
    return {
        "pool_tenant_ids": [row.tenant_id for row in rows],
        "pool_ids": [row.id for row in rows],
        "used": [row.by[0] for row in rows],
        "reserved": [row.by[1] for row in rows],
        "queued": [row.by[2] for row in rows],
        "pools_waiting": [row.by[3] for row in rows],
    }


def _grants(rows: Sequence[Moved]) -> Columns:
    return {
        "grant_tenant_ids": [row.tenant_id for row in rows],
        "grant_ids": [row.id for row in rows],
        "in_quota": [row.by[0] for row in rows],
        "assigned": [row.by[1] for row in rows],
        "grants_waiting": [row.by[2] for row in rows],
        "suspended": [row.by[3] for row in rows],
    }
