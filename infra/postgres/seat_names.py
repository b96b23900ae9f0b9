"""Whom and what direct assignments name: licences and people, found by whatever name was sent. Arrays in, sets out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from domain.seat_names import SeatNames
from domain.seat_rows import Holder
from domain.users import fold
from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("seats")

Place = tuple[int, str]


@dataclass(slots=True, kw_only=True)
class Sent:
    """The names that a wave's items use, with their tenants; usernames and e-mails folded."""

    licenses: set[Place] = field(default_factory=set)
    keys: set[Place] = field(default_factory=set)
    ids: set[tuple[int, int]] = field(default_factory=set)
    usernames: set[Place] = field(default_factory=set)
    emails: set[Place] = field(default_factory=set)


async def read_names(tx: Transaction, sent: Sent) -> tuple[SeatNames, dict[tuple[int, int], Holder]]:
    """What the names stand for, and the people found by (tenant, id); unknown ones are absent."""
    licenses = await find_licenses(tx, sent.licenses)
    people = await _find_people(tx, sent)
    return SeatNames(
        licenses=licenses,
        keys={(tenant_id, person.key): person.id for (tenant_id, _), person in people.items()},
        ids=frozenset(people),
        usernames={(tenant_id, fold(person.username)): person.id for (tenant_id, _), person in people.items()},
        emails={(tenant_id, fold(p.email)): p.id for (tenant_id, _), p in people.items() if p.email},
    ), people


async def find_licenses(tx: Transaction, keys: Iterable[Place]) -> dict[Place, int]:
    """The ids of licences by (tenant, key)."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    rows = await tx.fetch(
        _SQL["licenses_of_keys"], tenant_ids=[place[0] for place in wanted], keys=[place[1] for place in wanted]
    )
    return {(row["tenant_id"], row["key"]): row["id"] for row in rows}


async def find_bundles(tx: Transaction, tenant_ids: Iterable[int]) -> list[tuple[int, int]]:
    """The (tenant, id) of all bundles of these tenants that can be given by code."""
    rows = await tx.fetch(_SQL["bundles"], tenant_ids=sorted(set(tenant_ids)))
    return [(row["tenant_id"], row["id"]) for row in rows]


async def people_of_assignments(tx: Transaction, assignments: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The (tenant, id) of the people whose (tenant, id) entitlements these are."""
    wanted = sorted(assignments)
    if not wanted:
        return []
    rows = await tx.fetch(
        _SQL["people_of_assignments"], tenant_ids=[pair[0] for pair in wanted], ids=[pair[1] for pair in wanted]
    )
    return [(row["tenant_id"], row["user_id"]) for row in rows]


async def _find_people(tx: Transaction, sent: Sent) -> dict[tuple[int, int], Holder]:
    lists: list[list[tuple[int, Any]]] = [sorted(names) for names in (sent.keys, sent.ids, sent.usernames, sent.emails)]
    if not any(lists):
        return {}
    columns = [[pair[1] if other is own else None for other in lists for pair in other] for own in lists]
    rows = await tx.fetch(
        _SQL["people_in_question"],
        tenant_ids=[pair[0] for pairs in lists for pair in pairs],
        keys=columns[0],
        ids=columns[1],
        username_keys=columns[2],
        email_keys=columns[3],
    )
    return {(row["tenant_id"], row["id"]): Holder(*list(row.values())[1:]) for row in rows}
