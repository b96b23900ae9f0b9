"""Group assignments in Postgres: the facts a wave is planned on, and its net effect. Arrays in, sets out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from domain.assignments import AssignmentFacts, Role
from domain.book import AssignmentBook, AssignmentChanges, AssignmentKey, Held, Names
from domain.outcomes import Person
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
    running: Iterable[int] = (),
) -> AssignmentFacts:
    """What these (tenant, key) pairs are; unknown ones are absent. `running`: tenants to ask what goes on of."""
    found_groups: dict[TenantKey, int] = {}
    found_people: dict[TenantKey, Person] = {}
    found_roles: dict[TenantKey, Role] = {}
    found_running: set[int] = set()
    named = {
        f"{kind}_{column}": values
        for kind, keys in (("group", groups), ("person", people), ("role", roles))
        for column, values in _keys(keys).items()
    }
    for row in await tx.fetch(_SQL["find_named"], **named, running_tenant_ids=sorted(set(running))):
        kind, tenant_id = row["kind"], row["tenant_id"]
        if kind == "person":
            # The columns that follow stand in the order of Person.
            found_people[tenant_id, row["key"]] = Person._make(islice(row.values(), 2, 8))
        elif kind == "group":
            found_groups[tenant_id, row["key"]] = row["id"]
        elif kind == "role":
            found_roles[tenant_id, row["key"]] = Role(
                id=row["id"], key=row["key"], permission_scope=row["permission_scope"], titles=row["titles"]
            )
        else:
            found_running.add(tenant_id)
    return AssignmentFacts(
        groups=found_groups, people=found_people, roles=found_roles, running=frozenset(found_running)
    )


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
    if changes.created:
        await tx.execute(_SQL["add_assignments"], **_new_rows(changes.created))
    if changes.changed:
        await tx.execute(_SQL["change_assignments"], **_changed_rows(changes.changed))
    if changes.removed:
        await tx.execute(_SQL["remove_assignments"], **_columns(sorted(changes.removed)))
    for statement, members in (("add_members", changes.joined), ("remove_members", changes.left)):
        if members:
            tenant_ids, group_ids, user_ids = zip(*sorted(members), strict=True)
            await tx.execute(_SQL[statement], tenant_ids=tenant_ids, group_ids=group_ids, user_ids=user_ids)
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
    # They are only read, and nothing is locked: in whatever order they come.
    distinct = dict.fromkeys(keys)
    return {"tenant_ids": [tenant_id for tenant_id, _ in distinct], "keys": [key for _, key in distinct]}


def _new_rows(rows: Mapping[AssignmentKey, Held]) -> dict[str, object]:
    """What is the same for all is sent once: all are made at the wave's one instant, most waves by one source."""
    keys = sorted(rows)
    sources = [rows[key].sources for key in keys]
    first = rows[keys[0]]
    return {
        **_columns(keys),
        "source": first.sources.value,
        "sources": [] if sources.count(sources[0]) == len(sources) else [source.value for source in sources],
        "created_at": first.created_at,
    }


def _changed_rows(rows: Mapping[AssignmentKey, Held]) -> dict[str, object]:
    keys = sorted(rows)
    return {
        **_columns(keys),
        "sources": [rows[key].sources.value for key in keys],
        "created_ats": [rows[key].created_at for key in keys],
    }


def _columns(keys: Sequence[AssignmentKey]) -> dict[str, tuple[int, ...]]:
    tenant_ids, group_ids, user_ids, role_ids = zip(*keys, strict=True)
    return {"tenant_ids": tenant_ids, "group_ids": group_ids, "user_ids": user_ids, "role_ids": role_ids}


def _first(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [pair[0] for pair in pairs]


def _second(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [pair[1] for pair in pairs]
