"""Entitlements in Postgres: the seats that a wave may touch, read once. Arrays in, sets out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from domain.entitlements import SourceOf
from domain.license_commands import LicenseKind
from domain.seat_rows import Group, Holder, Pool
from domain.seat_table import SeatFacts
from domain.seats import SeatBook
from infra.postgres.database import Row, Transaction
from infra.postgres.seat_mapping import grant_of, pool_of_row, seat_of_row
from infra.postgres.statements import load

_SQL = load("seats")

MOST_PROMOTED = 5_000
"""Waiters that one wave serves of a pool at most; what is left of them is served in chunks."""

Ids = Iterable[tuple[int, int]]


async def load_seats(
    tx: Transaction,
    *,
    at: datetime,
    people: Ids = (),
    groups: Ids = (),
    joins: Mapping[tuple[int, int], int] | None = None,
    licenses: Ids = (),
    emails: Iterable[tuple[int, str]] = (),
    holders: Ids = (),
    assignments: Ids = (),
    grants: Ids = (),
    pools: Iterable[Pool] = (),
    newcomers: int = 0,
    capacities: Mapping[int, int | None] | None = None,
    most: int = MOST_PROMOTED,
    known: Iterable[Holder] = (),
) -> SeatBook:
    """The book of what these (tenant, id) pairs may touch.

    Of `people` it has what they have of `licenses` and of what the grants of `groups` give, of `holders` everything.
    `joins` says how many may join a group: the rows that their grants may make, and `newcomers` more, are provided for.
    `capacities` are the largest that changes of licences themselves may set. Of those who wait it has at most `most`.
    `grants` are known by id, those that are being taken away too. `known` are people read already, `pools` those whose
    licences have no rows any more; what people have of others like these is left to those who delete them.
    """
    joins = joins or {}
    carriers = sorted({*groups, *joins})
    facts = SeatFacts()
    if carriers:
        _take_grants(
            facts, await tx.fetch(_SQL["grants_of_groups"], tenant_ids=_first(carriers), group_ids=_second(carriers))
        )
    wanted = {*licenses, *((grant.tenant_id, grant.license_id) for grant in facts.grants.values())}
    rows = await _touched(tx, people if wanted else (), wanted, holders=holders, emails=emails, ids=assignments)
    wanted |= {(row["tenant_id"], row["license_id"]) for row in rows}
    if not wanted and not grants:
        return SeatBook(facts, at)
    facts.people.update((person.id, person) for person in known)
    facts.pools.update(await _read_pools(tx, sorted(wanted)))
    facts.pools.update({pool.id: pool for pool in pools})
    rows = [row for row in rows if row["license_id"] in facts.pools]
    rows += await _waiters(tx, facts, rows, capacities or {}, most)
    if any(pool.kind is LicenseKind.BUNDLE for pool in facts.pools.values()):
        rows += await _blocked(tx, facts, rows)
    await _take_rows(tx, facts, rows, grants)
    facts.fresh_ids = await _reserve(tx, newcomers + _places(facts, joins))
    return SeatBook(facts, at)


async def _touched(
    tx: Transaction,
    people: Ids,
    licenses: Ids,
    *,
    holders: Ids,
    emails: Iterable[tuple[int, str]],
    ids: Ids,
) -> list[Row]:
    lists: list[list[tuple[int, int | str]]] = [sorted(set(pairs)) for pairs in (people, holders, emails, ids)]
    if not any(lists):
        return []
    columns = [[pair[1] if other is own else None for other in lists for pair in other] for own in lists]
    rows = await tx.fetch(
        _SQL["seats_in_question"],
        tenant_ids=[pair[0] for pairs in lists for pair in pairs],
        user_ids=columns[0],
        license_ids=sorted(number for _, number in licenses),
        holder_ids=columns[1],
        email_keys=columns[2],
        ids=columns[3],
    )
    return list(rows)


async def _read_pools(tx: Transaction, pairs: Sequence[tuple[int, int]]) -> dict[int, Pool]:
    return {
        row["id"]: pool_of_row(row)
        for row in await tx.fetch(_SQL["pools"], tenant_ids=_first(pairs), ids=_second(pairs))
    }


async def _waiters(
    tx: Transaction, facts: SeatFacts, rows: Sequence[Row], capacities: Mapping[int, int | None], limit: int
) -> Sequence[Row]:
    """Of each pool, as many of those who wait as could be served if everybody who is touched gave their seat back."""
    touched = Counter(row["license_id"] for row in rows)
    most = [
        (pool.tenant_id, pool.id, min(touched[pool.id] + _room(pool, capacities), pool.queued, limit))
        for pool in facts.pools.values()
    ]
    asked = sorted(one for one in most if one[2] > 0)
    if not asked:
        return ()
    found = await tx.fetch(
        _SQL["waiters"],
        tenant_ids=[one[0] for one in asked],
        license_ids=[one[1] for one in asked],
        most=[one[2] for one in asked],
    )
    for row in found:
        place = (row["asked_seq"], row["user_id"] is None, row["user_id"] or 0, row["id"])
        facts.horizons[row["license_id"]] = max(place, facts.horizons.get(row["license_id"], place))
    return found


def _room(pool: Pool, capacities: Mapping[int, int | None]) -> int:
    """How many seats a change of the licence itself may free."""
    capacity = capacities.get(pool.id, 0)
    return MOST_PROMOTED if capacity is None else max(0, capacity - pool.used - pool.reserved)


async def _blocked(tx: Transaction, facts: SeatFacts, rows: Sequence[Row]) -> Sequence[Row]:
    """Of each grant with a quota, as many of those beyond it as could be let in if all who are touched went."""
    touched = sorted({(row["tenant_id"], row["id"]) for row in rows})
    if not touched:
        return ()
    found = await tx.fetch(_SQL["blocked"], tenant_ids=_first(touched), ids=_second(touched))
    for row in found:
        place = (row["source_seq"], row["user_id"] is None, row["user_id"] or 0, row["id"])
        facts.quota_horizons[row["grant_id"]] = max(place, facts.quota_horizons.get(row["grant_id"], place))
    return found


async def _take_rows(tx: Transaction, facts: SeatFacts, rows: Sequence[Row], also: Ids) -> None:
    """Complete the rows with their sources, and the facts with the grants and people that they name."""
    by_id = {row["id"]: row for row in rows}
    grants = {pair for pair in also if pair[1] not in facts.grants}
    if not by_id and not grants:
        return
    touched = sorted((row["tenant_id"], number) for number, row in by_id.items())
    sources: dict[int, list[SourceOf]] = {}
    for row in await tx.fetch(_SQL["sources"], tenant_ids=_first(touched), ids=_second(touched)):
        source = SourceOf(row["grant_id"], row["blocked"], row["seq"], row["operation_id"], row["since"])
        sources.setdefault(row["entitlement_id"], []).append(source)
        if source.grant_id and source.grant_id not in facts.grants:
            grants.add((row["tenant_id"], source.grant_id))
    if grants:
        _take_grants(
            facts,
            await tx.fetch(_SQL["grants_of_sources"], tenant_ids=_first(sorted(grants)), ids=_second(sorted(grants))),
        )
    facts.seats = [seat_of_row(row, sources.get(number, [])) for number, row in by_id.items()]
    unknown = {(row["tenant_id"], row["user_id"]) for row in rows if row["user_id"] not in facts.people}
    await know_people(tx, facts, (pair for pair in unknown if pair[1] is not None))


async def know_people(tx: Transaction, facts: SeatFacts, people: Ids) -> None:
    """Read these (tenant, id) people into the facts."""
    pairs = sorted(set(people))
    if pairs:
        for row in await tx.fetch(_SQL["people_of_seats"], tenant_ids=_first(pairs), ids=_second(pairs)):
            facts.people[row["id"]] = Holder(*row.values())


async def _reserve(tx: Transaction, count: int) -> Iterator[int]:
    if not count:
        return iter(())
    return iter([row["id"] for row in await tx.fetch(_SQL["reserve_entitlement_ids"], count=count)])


def _places(facts: SeatFacts, joins: Mapping[tuple[int, int], int]) -> int:
    """How many rows may be made if everybody joins who may."""
    return sum(joins.get((grant.tenant_id, grant.group_id), 0) for grant in facts.grants.values() if grant.gives)


def _take_grants(facts: SeatFacts, rows: Sequence[Row]) -> None:
    for row in rows:
        facts.grants[row["id"]] = grant_of(row)
        facts.groups.setdefault(
            row["group_id"],
            Group(id=row["group_id"], key=row["group_key"], name=row["group_name"] or "", user_count=row["user_count"]),
        )


def _first(pairs: Sequence[tuple[int, int]]) -> list[int]:
    return [pair[0] for pair in pairs]


def _second(pairs: Sequence[tuple[int, int]]) -> list[int]:
    return [pair[1] for pair in pairs]
