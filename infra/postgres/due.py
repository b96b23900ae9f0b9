"""Dates of licences in Postgres: those that have come become operations, and whom an operation then concerns.

One rule: a date is taken in the transaction that accepts its operation, so that it fires once and is never lost.
"""

from collections.abc import Iterable, Sequence

from domain.entitlements import Named, group_license_event
from domain.events import Event
from domain.license_commands import CheckLicenses
from infra.postgres.continuation_people import Person
from infra.postgres.database import Database, Row, Transaction
from infra.postgres.operations import NewOperation, Presentation, accept_operations, new_operation_id
from infra.postgres.statements import load

_SQL = load("due")
_NOBODY_ASKED = Presentation(form="internal")

MOST = 1_000
"""Dates that are taken at once; whoever takes as many looks again at once."""


async def fire_dates(database: Database) -> int:
    """Accept an operation for every licence a date of which has come; returns how many dates those were."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["take_dates"], most=MOST)
        if rows:
            await accept_operations(tx, [_operation(place, kinds) for place, kinds in _by_license(rows).items()])
    return len(rows)


async def holders_of_expired(
    tx: Transaction, tenant_id: int, license_ids: Sequence[int], *, rows: int, cursor: int = 0
) -> list[Person]:
    """Whoever holds a seat of those of the licences that have expired; user id 0 stands for an address alone."""
    found = await tx.fetch(
        _SQL["holders_of_expired"], tenant_id=tenant_id, license_ids=list(license_ids), rows=rows, cursor=cursor
    )
    return [Person(row["user_id"] or 0, row["entitlement_id"]) for row in found]


async def fulfilled_grants(tx: Transaction, tenant_id: int, license_ids: Sequence[int]) -> list[Event]:
    """What is to be told of grants of these licences, having started, by which every member holds a seat."""
    rows = await tx.fetch(_SQL["fulfilled_grants"], tenant_id=tenant_id, license_ids=list(license_ids))
    return [_fulfilled(row) for row in rows]


def _by_license(rows: Iterable[Row]) -> dict[tuple[int, int], set[str]]:
    kinds: dict[tuple[int, int], set[str]] = {}
    for row in rows:
        kinds.setdefault((row["tenant_id"], row["license_id"]), set()).add(row["kind"])
    return kinds


def _operation(place: tuple[int, int], kinds: set[str]) -> NewOperation:
    """One for each licence: an operation runs alone, and is as short as it can be."""
    tenant_id, license_id = place
    started = (license_id,) if "start" in kinds else ()
    return NewOperation(
        tenant_id=tenant_id,
        id=new_operation_id(),
        command=CheckLicenses(license_ids=(license_id,), started=started),
        presentation=_NOBODY_ASKED,
        fingerprint=b"",
    )


def _fulfilled(row: Row) -> Event:
    return group_license_event(
        license_of=Named(row["license_id"], row["license_key"]),
        group=Named(row["group_id"], row["group_key"]),
        assignment_id=row["id"],
        active=True,
        counts={name: row[name] for name in ("user_count", "assigned", "waiting", "suspended")},
    )
