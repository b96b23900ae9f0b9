"""Group assignments by keyset: a person's groups, a group's people, or the tenant's all.

One rule: which index is walked follows from what is asked; no question reads more than a window of it.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.sources import Source
from infra.postgres.database import Reads, Row
from infra.postgres.reads.pages import Page, Place, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_assignments")
_ANY = sum(Source)
FIRST_PLACE: Place = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """One role of one person in one group, with ids and keys of all three."""

    group_id: int
    group_key: str
    group_name: str
    user_id: int
    user_key: str
    first_name: str
    last_name: str
    department: str
    active: bool
    role_key: str
    titles: dict[str, str]
    sources: Source
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFilter:
    """Group and user by key; `source` among the row's sources. None asks nothing."""

    group: str | None = None
    user: str | None = None
    source: Source | None = None


class UnknownGroupError(Exception):
    """The filter names a group that does not exist."""


class UnknownUserError(Exception):
    """The filter names a user who does not exist."""


async def page_of_assignments(
    database: Reads, tenant_id: int, *, wanted: AssignmentFilter, after: Place, limit: int
) -> Page[AssignmentRow]:
    """Assignments behind the place `after` (group, user and role id), ordered by these ids.

    Raises:
        UnknownGroupError: the filter's group does not exist.
        UnknownUserError: the filter's user does not exist.
    """
    after_group, after_user, after_role = after
    window = window_for(limit, wanted.source)
    async with database.transaction() as tx:
        found = await tx.fetch(_SQL["group_and_user"], tenant_id=tenant_id, group=wanted.group, user=wanted.user)
        group_id, user_id = found[0]["group_id"], found[0]["user_id"]
        if wanted.group is not None and group_id is None:
            raise UnknownGroupError
        if wanted.user is not None and user_id is None:
            raise UnknownUserError
        rows = await tx.fetch(
            _SQL[_walk(wanted)],
            tenant_id=tenant_id,
            group_id=group_id,
            user_id=user_id,
            sources=wanted.source or _ANY,
            after_group=after_group,
            after_user=after_user,
            after_role=after_role,
            window=window,
            limit=limit,
        )
    return cut(rows, limit=limit, window=window, read=_assignment)


def _walk(wanted: AssignmentFilter) -> str:
    if wanted.user is not None:
        return "assignments_of_person"
    return "assignments_of_tenant" if wanted.group is None else "assignments_of_group"


def _assignment(row: Row) -> AssignmentRow:
    return AssignmentRow(
        group_id=row["group_id"],
        group_key=row["group_key"],
        group_name=row["group_name"],
        user_id=row["user_id"],
        user_key=row["user_key"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        department=row["department"],
        active=row["active"],
        role_key=row["role_key"],
        titles=row["titles"],
        sources=Source(row["sources"]),
        created_at=row["created_at"],
    )
