"""What the users API shows of groups: a page of assignments by offset, one assignment, the assignable roles.

One rule: every question names its tenant, and one by a filter is planned on its own values, since a plan that
serves all alike serves the rare ones badly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.assignments import ASSIGNABLE_SCOPE
from domain.sources import Source
from infra.postgres.database import Reads, Row, Transaction
from infra.postgres.statements import load

_SQL = load("read_user_groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAssignment:
    """One role of one person in one group; titles are per language."""

    group: str
    user: str
    first_name: str
    last_name: str
    department: str
    active: bool
    role: str
    titles: dict[str, str]
    sources: Source
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRole:
    """A role that may be given; titles and descriptions are per language."""

    key: str
    titles: dict[str, str]
    descriptions: dict[str, str]


class Missing(StrEnum):
    """What of an assignment's address does not exist: the first, in this order."""

    GROUP = "group"
    USER = "user"
    ROLE = "role"
    ASSIGNMENT = "assignment"


class By(StrEnum):
    """What a page of assignments may be ordered by."""

    FIRST_NAME_ASC = "first_name_asc"
    FIRST_NAME_DESC = "first_name_desc"
    LAST_NAME_ASC = "last_name_asc"
    LAST_NAME_DESC = "last_name_desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentsWanted:
    """Which assignments of a group: `search` is a literal part of a name or department; None asks nothing."""

    search: str | None = None
    roles: Sequence[str] | None = None
    order: Sequence[By] = ()
    offset: int = 0
    limit: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesWanted:
    """Which roles: `among` are the only keys (None: all).

    They are ordered by the title in the first of `languages` that each has, one way or the other, or, where
    `descending` is None, by key.
    """

    among: Sequence[str] | None = None
    languages: Sequence[str] = ()
    descending: bool | None = None
    offset: int = 0
    limit: int = 25


async def page_of_group(
    database: Reads, tenant_id: int, group: str, wanted: AssignmentsWanted
) -> tuple[Sequence[ShownAssignment], int] | None:
    """The page and how many assignments match in all; None when there is no such group."""
    async with database.transaction() as tx:
        found = await tx.fetch(_SQL["group_counts"], tenant_id=tenant_id, group=group)
        if not found:
            return None
        await tx.execute(_SQL["plan_for_these_values"])
        filters = {
            "tenant_id": tenant_id,
            "group_id": found[0]["id"],
            "pattern": None if wanted.search is None else like_pattern(wanted.search),
            "role_ids": None if wanted.roles is None else await _role_ids(tx, tenant_id, wanted.roles),
        }
        rows = await _rows(tx, wanted, filters)
        total = await _total(tx, wanted, filters, kept=found[0]["assignment_count"], on_page=len(rows))
    return [_assignment(group, row) for row in rows], total


async def _rows(tx: Transaction, wanted: AssignmentsWanted, filters: Mapping[str, object]) -> Sequence[Row]:
    first, second = [*wanted.order, None, None][:2]
    walk = "assignments_by_person" if wanted.order else "assignments_as_made"
    if wanted.search is not None:
        walk = "assignments_found"
    return await tx.fetch(_SQL[walk], **filters, first=first, second=second, offset=wanted.offset, limit=wanted.limit)


async def _total(
    tx: Transaction, wanted: AssignmentsWanted, filters: Mapping[str, object], *, kept: int, on_page: int
) -> int:
    """How many match. A last page has counted them itself, and without a filter the workers have."""
    if wanted.search is None and wanted.roles is None:
        return kept
    if 0 < on_page < wanted.limit or not (on_page or wanted.offset):
        return wanted.offset + on_page
    count = "count_with_roles" if wanted.search is None else "count_found"
    matching: int = (await tx.fetch(_SQL[count], **filters))[0]["matching"]
    return matching


async def find_assignment(
    database: Reads, tenant_id: int, *, group: str, user: str, role: str
) -> ShownAssignment | Missing:
    """The assignment at this address, or what of the address does not exist."""
    rows = await database.fetch(_SQL["assignment_at"], tenant_id=tenant_id, group=group, user=user, role=role)
    row = rows[0]
    for name, missing in (
        ("group_id", Missing.GROUP),
        ("user_id", Missing.USER),
        ("role_id", Missing.ROLE),
        ("sources", Missing.ASSIGNMENT),
    ):
        if row[name] is None:
            return missing
    return _assignment(group, row)


async def page_of_assignable_roles(
    database: Reads, tenant_id: int, group: str, wanted: RolesWanted
) -> tuple[Sequence[ShownRole], int] | None:
    """Roles that may be given in the group, and how many there are; None when there is no such group."""
    binds = {
        "tenant_id": tenant_id,
        "scope": ASSIGNABLE_SCOPE,
        "among": None if wanted.among is None else list(wanted.among),
    }
    async with database.transaction() as tx:
        if not await tx.fetch(_SQL["group_counts"], tenant_id=tenant_id, group=group):
            return None
        total = (await tx.fetch(_SQL["count_assignable_roles"], **binds))[0]["matching"]
        rows = await tx.fetch(
            _SQL["assignable_roles"],
            **binds,
            languages=list(wanted.languages),
            descending=wanted.descending,
            offset=wanted.offset,
            limit=wanted.limit,
        )
    return [_role(row) for row in rows], total


def like_pattern(term: str) -> str:
    """The LIKE pattern that finds the term itself in `search_text`, which is in lower case."""
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def _role_ids(tx: Transaction, tenant_id: int, keys: Sequence[str]) -> list[int]:
    return [row["id"] for row in await tx.fetch(_SQL["ids_of_roles"], tenant_id=tenant_id, keys=list(keys))]


def _assignment(group: str, row: Row) -> ShownAssignment:
    return ShownAssignment(
        group=group,
        user=row["user_key"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        department=row["department"],
        active=row["active"],
        role=row["role_key"],
        titles=row["titles"],
        sources=Source(row["sources"]),
        created_at=row["created_at"],
    )


def _role(row: Row) -> ShownRole:
    return ShownRole(key=row["key"], titles=row["titles"], descriptions=row["descriptions"])
