"""Group assignments in Postgres: the facts a wave is planned on, and its net effect. Arrays in, sets out."""

from collections.abc import Iterable, Mapping, Sequence

from domain.assignments import AssignmentFacts, Person, Role
from domain.book import AssignmentBook, AssignmentChanges, AssignmentKey, Held, Names
from domain.sources import Source
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("assignments")

TenantKey = tuple[int, str]


async def read_facts(
    tx: Transaction,
    *,
    groups: Iterable[TenantKey] = (),
    people: Iterable[TenantKey] = (),
    roles: Iterable[TenantKey] = (),
) -> AssignmentFacts:
    """What these (tenant, key) pairs are; unknown ones are absent."""
    found_groups: dict[TenantKey, int] = {}
    found_people: dict[TenantKey, Person] = {}
    found_roles: dict[TenantKey, Role] = {}
    named = {
        f"{kind}_{column}": values
        for kind, keys in (("group", groups), ("person", people), ("role", roles))
        for column, values in _keys(keys).items()
    }
    for row in await tx.fetch(_SQL["find_named"], **named):
        # The columns stand in this order, those of a person in that of Person.
        kind, tenant_id, number, key, *person, permission_scope, titles = row.values()
        if kind == "person":
            found_people[tenant_id, key] = Person(number, key, *person)
        elif kind == "group":
            found_groups[tenant_id, key] = number
        else:
            found_roles[tenant_id, key] = Role(id=number, key=key, permission_scope=permission_scope, titles=titles)
    return AssignmentFacts(groups=found_groups, people=found_people, roles=found_roles)


async def book_of_pairs(tx: Transaction, pairs: Sequence[tuple[int, int, int]], names: Names) -> AssignmentBook:
    """The book of these (tenant, group, user) ids; `names` must name all that may be given or taken."""
    rows = await tx.fetch(
        _SQL["assignments_of_pairs"],
        tenant_ids=[pair[0] for pair in pairs],
        group_ids=[pair[1] for pair in pairs],
        user_ids=[pair[2] for pair in pairs],
    )
    return AssignmentBook(_held(rows), names)


async def book_of_people(tx: Transaction, users: Mapping[tuple[int, int], str], names: Names) -> AssignmentBook:
    """Everything that these people hold; `users` maps (tenant, id) to the key. Adds to `names` what rows name."""
    rows = await tx.fetch(_SQL["assignments_of_people"], tenant_ids=_first(users), user_ids=_second(users))
    names.users.update({user_id: key for (_, user_id), key in users.items()})
    names.groups.update({row["group_id"]: row["group_key"] for row in rows})
    names.roles.update({row["role_id"]: row["role_key"] for row in rows})
    return AssignmentBook(_held(rows), names)


async def apply_changes(tx: Transaction, changes: AssignmentChanges) -> None:
    """Write the net effect of a wave. A constant number of statements; none for what did not change."""
    if changes.written:
        keys = sorted(changes.written)
        await tx.execute(
            _SQL["write_assignments"],
            **_columns(keys),
            sources=[int(changes.written[key].sources) for key in keys],
            created_ats=[changes.written[key].created_at for key in keys],
        )
    if changes.removed:
        await tx.execute(_SQL["remove_assignments"], **_columns(sorted(changes.removed)))
    for statement, members in (("add_members", changes.joined), ("remove_members", changes.left)):
        if members:
            ordered = sorted(members)
            await tx.execute(
                _SQL[statement],
                tenant_ids=[member.tenant_id for member in ordered],
                group_ids=[member.group_id for member in ordered],
                user_ids=[member.user_id for member in ordered],
            )
    moved = sorted(changes.counts.items())
    if moved:
        await tx.execute(
            _SQL["add_group_counts"],
            tenant_ids=[group[0] for group, _ in moved],
            group_ids=[group[1] for group, _ in moved],
            users=[counts.users for _, counts in moved],
            assignments=[counts.assignments for _, counts in moved],
        )


def _held(rows: Sequence[Row]) -> dict[AssignmentKey, Held]:
    return {
        AssignmentKey(row["tenant_id"], row["group_id"], row["user_id"], row["role_id"]): Held(
            Source(row["sources"]), row["created_at"]
        )
        for row in rows
    }


def _keys(keys: Iterable[TenantKey]) -> dict[str, list[int] | list[str]]:
    distinct = sorted(set(keys))
    return {"tenant_ids": [tenant_id for tenant_id, _ in distinct], "keys": [key for _, key in distinct]}


def _columns(keys: Sequence[AssignmentKey]) -> dict[str, list[int]]:
    return {
        "tenant_ids": [key.tenant_id for key in keys],
        "group_ids": [key.group_id for key in keys],
        "user_ids": [key.user_id for key in keys],
        "role_ids": [key.role_id for key in keys],
    }


def _first(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [pair[0] for pair in pairs]


def _second(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [pair[1] for pair in pairs]
