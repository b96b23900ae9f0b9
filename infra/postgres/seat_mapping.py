"""Pools, grants and entitlements from their rows, as domain/seat_rows.py has them.

One rule: one function for each table, whichever statement has read the row.
"""

from collections.abc import Mapping

from domain.entitlements import SourceOf, State
from domain.errors import JSON
from domain.license_commands import LicenseKind
from domain.seat_rows import Grant, Pool, Seat
from domain.users import compact
from infra.postgres.database import Row

_STATES = {state.value: state for state in State}


def grant_of(row: Row) -> Grant:
    """A grant from a row of group_license."""
    return Grant(
        tenant_id=row["tenant_id"],
        id=row["id"],
        group_id=row["group_id"],
        license_id=row["license_id"],
        active=row["active"],
        hold=row["hold"],
        shortage=row["shortage"],
        quota=row["quota"],
        redirect_to=row["redirect_to"],
        metadata=_text(row["metadata"]),
        is_removed=row["removed_at"] is not None,
        is_bounded=row["is_bounded"],
        is_admitting=row["is_admitting"],
        in_quota=row["in_quota"],
        assigned=row["assigned"],
        waiting=row["waiting"],
        suspended=row["suspended"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def pool_of_row(row: Row) -> Pool:
    """A pool from a row of license, with whether its free seats are promised."""
    return Pool(
        tenant_id=row["tenant_id"],
        id=row["id"],
        key=row["key"],
        name=row["name"],
        kind=LicenseKind(row["kind"]),
        capacity=row["capacity"],
        code=row["code"],
        program_key=row["program_key"],
        program_name=row["program_name"],
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
        active=row["active"],
        used=row["used"],
        reserved=row["reserved"],
        queued=row["queued"],
        waiting=row["waiting"],
        is_bounded=row["is_bounded"],
    )


def seat_of_row(row: Row, sources: list[SourceOf]) -> Seat:
    """An entitlement from its row and its sources."""
    return Seat(
        tenant_id=row["tenant_id"],
        id=row["id"],
        license_id=row["license_id"],
        user_id=row["user_id"],
        email=row["email"],
        email_key=row["email_key"],
        state=_STATES[row["state"]],
        asked_seq=row["asked_seq"],
        redirect_to=row["redirect_to"],
        metadata=_text(row["metadata"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        sources=tuple(sorted(sources)),
    )


def _text(document: Mapping[str, JSON] | None) -> str | None:
    return None if document is None else compact(document)
