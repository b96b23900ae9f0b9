"""The catalogue API's objects, made of stored outcomes and of rows alike, so that both always look the same."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.entitlements import State
from domain.errors import JSON
from domain.outcomes import timestamp
from infra.postgres.reads.catalog_values import Program, ShownAssignment, ShownGroup, ShownProgram

Outcome = Mapping[str, Any]


def program_license_of_outcome(license_of: Outcome, *, platform: str) -> dict[str, JSON]:
    """The licence that an operation has made or changed."""
    return {
        "id": license_of["id"],
        "name": license_of["name"],
        "count": license_of["capacity"],
        "usage_count": license_of["used"],
        "active": license_of["active"],
        "created": license_of["created_at"],
        "started": license_of["starts_at"],
        "expired": license_of["expires_at"],
        "metadata": license_of["metadata"],
        "source": license_of["source"],
        "external_id": license_of["external_id"],
        "platform_key": platform,
        "program_id": license_of["program_id"],
        "program_key": license_of["program_key"],
        "program_name": license_of["program_name"],
    }


def program_license_of_row(row: ShownProgram, *, platform: str) -> dict[str, JSON]:
    """The licence as it stands; with the counts of its assignments where they were asked for."""
    shown: dict[str, JSON] = {
        "id": row.id,
        "name": row.name,
        "count": row.capacity,
        "usage_count": row.used,
        "active": row.active,
        "created": timestamp(row.created_at),
        "started": _timestamp(row.starts_at),
        "expired": _timestamp(row.expires_at),
        "metadata": row.metadata,
        "source": row.source,
        "external_id": row.external_id,
        "platform_key": platform,
        "program_id": row.program_id,
        "program_key": row.program_key,
        "program_name": row.program_name,
    }
    if row.suspended is not None:
        total = row.used + row.waiting + row.suspended
        shown["assignments"] = {"total": total, "active": row.used, "pending": row.waiting}
    return shown


def user_assignment_of_outcome(seat: Outcome) -> dict[str, JSON]:
    """The assignment that an operation has made or changed."""
    user, license_of = seat["user"], seat["license"]
    return {
        "id": seat["id"],
        "user_id": user and user["id"],
        "username": user and user["username"],
        "name": user and _name(user["first_name"], user["last_name"]),
        "email": user["email"] if user else seat["email"],
        "active": seat["state"] != State.SUSPENDED.shown,
        "fulfilled": seat["fulfilled"],
        "direct": seat["direct"],
        "redirect_to": seat["redirect_to"],
        "metadata": seat["metadata"],
        "created": seat["created_at"],
        "modified": seat["modified_at"],
        "license_id": license_of["id"],
        "license_name": license_of["name"],
        "program_key": license_of["program_key"],
    }


def user_assignment_of_row(row: ShownAssignment, program: Program) -> dict[str, JSON]:
    """The assignment as it stands."""
    return {
        "id": row.id,
        "user_id": row.user_id,
        "username": row.username,
        "name": None if row.user_id is None else _name(row.first_name or "", row.last_name or ""),
        "email": row.email,
        "active": row.state != State.SUSPENDED,
        "fulfilled": program.is_fulfilled(row),
        "direct": row.direct,
        "redirect_to": row.redirect_to,
        "metadata": row.metadata,
        "created": timestamp(row.created_at),
        "modified": timestamp(row.updated_at),
        "license_id": program.id,
        "license_name": program.name,
        "program_key": program.program_key,
    }


def group_assignment_of_outcome(given: Outcome) -> dict[str, JSON]:
    """The group assignment that an operation has made or changed."""
    group, license_of = given["group"], given["license"]
    return {
        "id": given["id"],
        "group_id": group["id"],
        "group_name": group["name"],
        "active": given["active"],
        "fulfilled": given["fulfilled"],
        "redirect_to": given["redirect_to"],
        "metadata": given["metadata"],
        "created": given["created_at"],
        "modified": given["modified_at"],
        "license_id": license_of["id"],
        "license_name": license_of["name"],
        "program_key": license_of["program_key"],
        "program_name": license_of["program_name"],
        "user_count": given["user_count"],
        "assigned_count": given["assigned_count"],
        "waiting_count": given["waiting_count"],
    }


def group_assignment_of_row(row: ShownGroup, program: Program) -> dict[str, JSON]:
    """The group assignment as it stands."""
    return {
        "id": row.id,
        "group_id": row.group_id,
        "group_name": row.group_name,
        "active": row.active,
        "fulfilled": program.is_given(row),
        "redirect_to": row.redirect_to,
        "metadata": row.metadata,
        "created": timestamp(row.created_at),
        "modified": timestamp(row.updated_at),
        "license_id": program.id,
        "license_name": program.name,
        "program_key": program.program_key,
        "program_name": program.program_name,
        "user_count": row.user_count,
        "assigned_count": row.assigned,
        "waiting_count": row.waiting,
    }


def page(results: Sequence[JSON], *, total: int, following: str | None, preceding: str | None) -> dict[str, JSON]:
    """A page of a list; both names of a link are the same address."""
    return {
        "count": total,
        "next": following,
        "previous": preceding,
        "next_page": following,
        "previous_page": preceding,
        "results": list(results),
    }


def _name(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def _timestamp(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
