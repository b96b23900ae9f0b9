"""Users, groups and roles in Postgres: the facts a wave is planned on, and its net effect. Arrays in, sets out."""

from collections.abc import Iterable, Iterator, Sequence

from domain.directory import DirectoryRole, Group
from domain.users import User, compact, fold
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("directory")

TenantKey = tuple[int, str]


async def reserve_ids(tx: Transaction, thing: str, count: int) -> Iterator[int]:
    """Fresh ids of `user`, `group` or `role`; an id that is not used is lost, as sequences are."""
    if not count:
        return iter(())
    return iter([row["id"] for row in await tx.fetch(_SQL[f"reserve_{thing}_ids"], count=count)])


async def read_users(
    tx: Transaction,
    *,
    keys: Iterable[TenantKey],
    usernames: Iterable[TenantKey] = (),
    emails: Iterable[TenantKey] = (),
) -> dict[TenantKey, User]:
    """Users named by key, and the holders of these usernames and e-mails, by (tenant, key).

    The three lists go in as one array of tenants a list; the lists are padded with NULLs, which match nothing.
    """
    tenants, columns = _padded(set(keys), {(t, fold(n)) for t, n in usernames}, {(t, fold(e)) for t, e in emails})
    rows = await tx.fetch(
        _SQL["users_in_question"],
        tenant_ids=tenants,
        keys=columns[0],
        username_keys=columns[1],
        email_keys=columns[2],
    )
    return {(row["tenant_id"], row["key"]): _user(row) for row in rows}


async def group_keys(tx: Transaction, ids: Iterable[tuple[int, int]]) -> dict[int, str]:
    """The keys of groups known by (tenant, id)."""
    known = sorted(set(ids))
    rows = await tx.fetch(
        _SQL["group_keys"], tenant_ids=[tenant_id for tenant_id, _ in known], ids=[number for _, number in known]
    )
    return {row["id"]: row["key"] for row in rows}


async def read_groups(tx: Transaction, keys: Iterable[TenantKey]) -> dict[TenantKey, Group]:
    """Groups by (tenant, key)."""
    return {
        (row["tenant_id"], row["key"]): Group(
            id=row["id"],
            key=row["key"],
            name=row["name"],
            user_count=row["user_count"],
            is_in_use=row["assignment_count"] > 0 or row["is_primary"],
            has_grants=row["has_grants"],
        )
        for row in await tx.fetch(_SQL["groups_in_question"], **_keys(keys))
    }


async def read_roles(tx: Transaction, keys: Iterable[TenantKey]) -> dict[TenantKey, DirectoryRole]:
    """Roles by (tenant, key)."""
    return {
        (row["tenant_id"], row["key"]): DirectoryRole(
            id=row["id"],
            key=row["key"],
            permission_scope=row["permission_scope"],
            titles=row["titles"],
            descriptions=row["descriptions"],
            is_in_use=row["is_in_use"],
        )
        for row in await tx.fetch(_SQL["roles_in_question"], **_keys(keys))
    }


async def write_users(tx: Transaction, users: Sequence[tuple[int, User]]) -> None:
    """New and changed users, in one statement."""
    if users:
        await tx.execute(
            _SQL["write_users"],
            tenant_ids=[tenant_id for tenant_id, _ in users],
            ids=[user.id for _, user in users],
            keys=[user.key for _, user in users],
            usernames=[user.username for _, user in users],
            username_keys=[fold(user.username) for _, user in users],
            emails=[user.email for _, user in users],
            email_keys=[fold(user.email) if user.email else None for _, user in users],
            first_names=[user.first_name for _, user in users],
            last_names=[user.last_name for _, user in users],
            departments=[user.department for _, user in users],
            actives=[user.active for _, user in users],
            attributes=[user.attributes for _, user in users],
            primary_group_ids=[user.primary_group_id for _, user in users],
        )


async def write_groups(tx: Transaction, groups: Sequence[tuple[int, Group]]) -> None:
    """New and renamed groups, in one statement."""
    if groups:
        await tx.execute(
            _SQL["write_groups"],
            tenant_ids=[tenant_id for tenant_id, _ in groups],
            ids=[group.id for _, group in groups],
            keys=[group.key for _, group in groups],
            names=[group.name for _, group in groups],
        )


async def write_roles(tx: Transaction, roles: Sequence[tuple[int, DirectoryRole]]) -> None:
    """New and changed roles, in one statement."""
    if roles:
        await tx.execute(
            _SQL["write_roles"],
            tenant_ids=[tenant_id for tenant_id, _ in roles],
            ids=[role.id for _, role in roles],
            keys=[role.key for _, role in roles],
            permission_scopes=[role.permission_scope for _, role in roles],
            titles=[compact(role.titles) for _, role in roles],
            descriptions=[compact(role.descriptions) for _, role in roles],
        )


async def remove_users(tx: Transaction, users: Sequence[tuple[int, int]]) -> None:
    """Delete these (tenant, id) users."""
    await _remove(tx, "remove_users", users)


async def remove_groups(tx: Transaction, groups: Sequence[tuple[int, int]]) -> None:
    """Delete these (tenant, id) groups."""
    await _remove(tx, "remove_groups", groups)


async def remove_roles(tx: Transaction, roles: Sequence[tuple[int, int]]) -> None:
    """Delete these (tenant, id) roles."""
    await _remove(tx, "remove_roles", roles)


async def _remove(tx: Transaction, statement: str, rows: Sequence[tuple[int, int]]) -> None:
    if rows:
        await tx.execute(
            _SQL[statement],
            tenant_ids=[tenant_id for tenant_id, _ in rows],
            ids=[number for _, number in rows],
        )


def _padded(*lists: set[TenantKey]) -> tuple[list[int], list[list[str | None]]]:
    tenants: list[int] = []
    columns: list[list[str | None]] = [[] for _ in lists]
    for place, pairs in enumerate(lists):
        for tenant_id, value in sorted(pairs):
            tenants.append(tenant_id)
            for other, column in enumerate(columns):
                column.append(value if other == place else None)
    return tenants, columns


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        key=row["key"],
        username=row["username"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        department=row["department"],
        active=row["active"],
        attributes=compact(row["attributes"]),
        primary_group_id=row["primary_group_id"],
    )


def _keys(keys: Iterable[TenantKey]) -> dict[str, list[int] | list[str]]:
    distinct = sorted(set(keys))
    return {"tenant_ids": [tenant_id for tenant_id, _ in distinct], "keys": [key for _, key in distinct]}
