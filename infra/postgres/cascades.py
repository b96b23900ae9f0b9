"""Cascades in Postgres: whom the deletion of a group, a role or a licence comes to next, and what they hold of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.book import MemberKey
from domain.cascades import Taken
from domain.continuations import Continuation
from domain.sources import Source
from infra.postgres.continuation_people import Person
from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("cascades")


class GrantRow(NamedTuple):
    """A grant by its ids."""

    id: int
    group_id: int
    license_id: int


async def read_grants_of(
    tx: Transaction, tenant_id: int, *, groups: Iterable[int] = (), license_id: int | None = None
) -> list[GrantRow]:
    """All grants of these groups and of this licence, those that are being taken away too."""
    rows = await tx.fetch(_SQL["grants_of"], tenant_id=tenant_id, group_ids=sorted(set(groups)), license_id=license_id)
    return [GrantRow(row["id"], row["group_id"], row["license_id"]) for row in rows]


async def count_of_role(tx: Transaction, tenant_id: int, role_id: int) -> int:
    """How many assignments give the role."""
    [row] = await tx.fetch(_SQL["count_of_role"], tenant_id=tenant_id, role_id=role_id)
    people: int = row["people"]
    return people


async def count_of_license(tx: Transaction, tenant_id: int, license_id: int) -> int:
    """How many have the licence or wait for it."""
    [row] = await tx.fetch(_SQL["count_of_license"], tenant_id=tenant_id, license_id=license_id)
    people: int = row["people"]
    return people


async def mark_grants_removed(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> None:
    """Nobody sees these grants any more."""
    if ids:
        await tx.execute(_SQL["mark_grants_removed"], tenant_id=tenant_id, ids=ids)


async def remove_grants_of(
    tx: Transaction, tenant_id: int, *, group_id: int | None = None, license_id: int | None = None
) -> None:
    """Delete the grants of a group, or of a licence, that is gone with all that it gave."""
    await tx.execute(_SQL["remove_grants_of"], tenant_id=tenant_id, group_id=group_id, license_id=license_id)


async def next_of_group(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """People behind the cursor who are in the group or have it as their primary one, in id order."""
    found = await tx.fetch(
        _SQL["next_of_group"], tenant_id=of.tenant_id, group_id=of.target.id, cursor=of.cursor, rows=rows
    )
    return [Person(row["user_id"], None) for row in found]


async def next_of_role(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """People behind the cursor who hold the role, in id order."""
    found = await tx.fetch(
        _SQL["next_of_role"], tenant_id=of.tenant_id, role_id=of.target.id, cursor=of.cursor, rows=rows
    )
    return [Person(row["user_id"], None) for row in found]


async def next_of_license(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """Who has anything of the licence, in the order of their rows behind the cursor; addresses are person 0."""
    found = await tx.fetch(
        _SQL["next_of_license"], tenant_id=of.tenant_id, license_id=of.target.id, cursor=of.cursor, rows=rows
    )
    return [Person(row["user_id"], row["entitlement_id"]) for row in found]


async def take_from_group(tx: Transaction, of: Continuation, people: Sequence[Person]) -> list[Taken]:
    """Take what these people hold in the group that is being deleted; returns what that was, in id order."""
    rows = await tx.fetch(
        _SQL["take_from_group"], tenant_id=of.tenant_id, group_id=of.target.id, user_ids=_user_ids(people)
    )
    group = of.target
    return [
        Taken(*group, row["user_id"], row["user_key"], row["role_id"], row["role_key"], Source(row["sources"]))
        for row in rows
    ]


async def leaving_with_role(tx: Transaction, of: Continuation, people: Sequence[Person]) -> list[MemberKey]:
    """Who of these people loses their last role in a group with the role that is being deleted."""
    rows = await tx.fetch(
        _SQL["leaving_with_role"], tenant_id=of.tenant_id, role_id=of.target.id, user_ids=_user_ids(people)
    )
    return sorted(MemberKey(of.tenant_id, row["group_id"], row["user_id"]) for row in rows)


async def take_role(tx: Transaction, of: Continuation, people: Sequence[Person]) -> list[Taken]:
    """Take the role that is being deleted from these people; returns what that was, in id order."""
    rows = await tx.fetch(_SQL["take_role"], tenant_id=of.tenant_id, role_id=of.target.id, user_ids=_user_ids(people))
    role = of.target
    return [
        Taken(row["group_id"], row["group_key"], row["user_id"], row["user_key"], *role, Source(row["sources"]))
        for row in rows
    ]


async def forget_primary_group(tx: Transaction, of: Continuation, people: Sequence[Person]) -> None:
    """The group is no longer the primary one of these people."""
    await tx.execute(
        _SQL["forget_primary_group"],
        tenant_id=of.tenant_id,
        group_id=of.target.id,
        user_ids=_user_ids(people),
    )


def _user_ids(people: Sequence[Person]) -> list[int]:
    return [one.user_id for one in people]
