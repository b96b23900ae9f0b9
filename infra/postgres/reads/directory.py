"""Users, groups and roles: one by its key, or a page in the order of their ids.

One rule: every question names its tenant; another tenant's key is a key that does not exist.
"""

from dataclasses import dataclass
from typing import Any

from domain.users import fold
from infra.postgres.database import Reads, Row, Transaction
from infra.postgres.reads.pages import Page, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person. `primary_group` is a group's key."""

    id: int
    key: str
    username: str
    email: str | None
    first_name: str
    last_name: str
    department: str
    active: bool
    attributes: dict[str, Any]
    primary_group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group; `user_count` counts people, not roles."""

    id: int
    key: str
    name: str
    user_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """A role; titles and descriptions are per language."""

    id: int
    key: str
    permission_scope: str
    titles: dict[str, str]
    descriptions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """What the people of a list have in common; None asks nothing. Names are compared without case."""

    username: str | None = None
    email: str | None = None
    department: str | None = None
    active: bool | None = None
    group: str | None = None


async def find_user(database: Reads, tenant_id: int, key: str) -> UserRow | None:
    """The person with this key, if there is one."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["find_user"], tenant_id=tenant_id, key=key)
    return _user(rows[0]) if rows else None


async def keys_from(database: Reads, tenant_id: int, *, first: str, limit: int) -> list[str]:
    """Keys of people from `first` on, in the database's order."""
    rows = await database.fetch(_SQL["keys_from"], tenant_id=tenant_id, first=first, limit=limit)
    return [row["key"] for row in rows]


async def find_group(database: Reads, tenant_id: int, key: str) -> GroupRow | None:
    """The group with this key, if there is one."""
    async with database.transaction() as tx:
        return await _group_by_key(tx, tenant_id, key)


async def find_role(database: Reads, tenant_id: int, key: str) -> RoleRow | None:
    """The role with this key, if there is one."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["find_role"], tenant_id=tenant_id, key=key)
    return _role(rows[0]) if rows else None


async def page_of_users(
    database: Reads, tenant_id: int, *, wanted: UserFilter, after: int, limit: int
) -> Page[UserRow] | None:
    """People behind the id `after`; None when the filter names a group that does not exist."""
    binds = {
        "tenant_id": tenant_id,
        "after": after,
        "limit": limit,
        "username_key": None if wanted.username is None else fold(wanted.username),
        "email_key": None if wanted.email is None else fold(wanted.email),
        "department": wanted.department,
        "active": wanted.active,
    }
    by_name = (wanted.username, wanted.email)
    async with database.transaction() as tx:
        if wanted.group is not None:
            group = await _group_by_key(tx, tenant_id, wanted.group)
            if group is None:
                return None
            window = window_for(limit, wanted.department, wanted.active, *by_name)
            rows = await tx.fetch(_SQL["page_of_members"], **binds, group_id=group.id, window=window)
        elif any(name is not None for name in by_name):
            rows = await tx.fetch(_SQL["users_by_name"], **binds)
            return Page(items=[_user(row) for row in rows], next=None)
        else:
            window = window_for(limit, wanted.department, wanted.active)
            rows = await tx.fetch(_SQL["page_of_users"], **binds, window=window)
    return cut(rows, limit=limit, window=window, read=_user)


async def page_of_groups(
    database: Reads, tenant_id: int, *, name: str | None, after: int, limit: int
) -> Page[GroupRow]:
    """Groups behind the id `after`, all or those of exactly this name."""
    window = window_for(limit, name)
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _SQL["page_of_groups"], tenant_id=tenant_id, name=name, after=after, limit=limit, window=window
        )
    return cut(rows, limit=limit, window=window, read=_group)


async def page_of_roles(
    database: Reads, tenant_id: int, *, permission_scope: str | None, after: int, limit: int
) -> Page[RoleRow]:
    """Roles behind the id `after`, all or those of one permission scope."""
    window = window_for(limit, permission_scope)
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _SQL["page_of_roles"],
            tenant_id=tenant_id,
            permission_scope=permission_scope,
            after=after,
            limit=limit,
            window=window,
        )
    return cut(rows, limit=limit, window=window, read=_role)


async def _group_by_key(tx: Transaction, tenant_id: int, key: str) -> GroupRow | None:
    rows = await tx.fetch(_SQL["find_group"], tenant_id=tenant_id, key=key)
    return _group(rows[0]) if rows else None


def _user(row: Row) -> UserRow:
    return UserRow(
        id=row["id"],
        key=row["key"],
        username=row["username"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        department=row["department"],
        active=row["active"],
        attributes=row["attributes"],
        primary_group=row["primary_group"],
    )


def _group(row: Row) -> GroupRow:
    return GroupRow(id=row["id"], key=row["key"], name=row["name"], user_count=row["user_count"])


def _role(row: Row) -> RoleRow:
    return RoleRow(
        id=row["id"],
        key=row["key"],
        permission_scope=row["permission_scope"],
        titles=row["titles"],
        descriptions=row["descriptions"],
    )
