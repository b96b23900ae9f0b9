"""Applies waves of licence pools put, created, updated and deleted, with the seats that follow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from domain.license_commands import (
    CreateProgramLicense,
    DeleteLicenses,
    LicensePut,
    PutLicenses,
    UpdateProgramLicense,
)
from domain.license_pools import LicenseWave, instant, key_of
from domain.licenses import License, LicenseBook, LicenseFacts
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from infra.postgres.licenses import (
    TenantKey,
    grants_of_licenses,
    in_use,
    read_licenses,
    read_programs,
    remove_licenses,
    reserve_license_ids,
    reserve_program_ids,
    write_dates,
    write_licenses,
)
from infra.postgres.seats import load_seats
from workers.handlers.touching import write_wave

C = TypeVar("C", PutLicenses, CreateProgramLicense, UpdateProgramLicense, DeleteLicenses)

Capacities = dict[int, int | None]
"""Licence id -> the largest capacity that it may have in the course of the wave; None is without limit."""

Wanted = Sequence[tuple[int, str, str | None]]
"""(tenant, licence key, program key) of items that may need their program's number."""


async def put_licenses(tx: Transaction, orders: Sequence[Order[PutLicenses]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    items = [(o.tenant_id, item) for o in orders for item in o.command.items if isinstance(item, LicensePut)]
    found = await read_licenses(
        tx,
        keys=((tenant_id, item.key) for tenant_id, item in items),
        codes=((tenant_id, item.code) for tenant_id, item in items if item.code),
    )
    facts = await _facts(
        tx,
        found,
        [(tenant_id, item.key, item.program_key) for tenant_id, item in items],
        # One for every item: one that is refused leaves the id that it was to have unused.
        await reserve_license_ids(tx, sum((t, item.key) not in found for t, item in items)),
    )
    known = [(t, found[t, item.key], item) for t, item in items if (t, item.key) in found]
    capacities = _largest((row.id, item.capacity) for _, row, item in known)
    starts = _begun(((t, row, item.starts_at) for t, row, item in known), at)
    return await _apply(tx, orders, facts, LicenseWave.put, at, capacities=capacities, begun=starts)


async def create_program_licenses(
    tx: Transaction, orders: Sequence[Order[CreateProgramLicense]], at: datetime
) -> list[Decision]:
    """One decision per command, in order."""
    ids = list(await reserve_license_ids(tx, len(orders)))
    # Somebody may have given a key of this form to a licence of their own.
    found = await read_licenses(
        tx,
        keys=((order.tenant_id, key_of(number)) for order, number in zip(orders, ids, strict=True)),
        external_ids=_external_ids(orders),
    )
    wanted = [(order.tenant_id, "", str(order.command.sent["program_key"])) for order in orders]
    return await _apply(tx, orders, await _facts(tx, found, wanted, iter(ids)), LicenseWave.create, at)


async def update_program_licenses(
    tx: Transaction, orders: Sequence[Order[UpdateProgramLicense]], at: datetime
) -> list[Decision]:
    """One decision per command, in order."""
    found = await read_licenses(
        tx,
        ids=((o.tenant_id, o.command.license_id) for o in orders if o.command.license_id is not None),
        external_ids=_external_ids(orders),
    )
    facts = await _facts(tx, found, [], iter(()))
    known = list(_updated(orders, found))
    capacities = _largest((row.id, _count(order, row)) for order, row in known)
    starts = _begun(((order.tenant_id, row, _start(order, row)) for order, row in known), at)
    return await _apply(tx, orders, facts, LicenseWave.update, at, capacities=capacities, begun=starts)


async def delete_licenses(tx: Transaction, orders: Sequence[Order[DeleteLicenses]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    named = {(order.tenant_id, key) for order in orders for key in order.command.keys}
    found = await in_use(tx, await read_licenses(tx, keys=named))
    return await _apply(tx, orders, await _facts(tx, found, [], iter(())), LicenseWave.delete, at)


async def _facts(
    tx: Transaction, found: Mapping[TenantKey, License], wanted: Wanted, fresh_ids: Iterator[int]
) -> LicenseFacts:
    asked = [(tenant_id, key, program_key) for tenant_id, key, program_key in wanted if program_key is not None]
    had = {place: (place[0], row.program_key) for place, row in found.items() if row.program_key is not None}
    programs = await read_programs(tx, {*had.values(), *((tenant_id, name) for tenant_id, _, name in asked)})
    # A program whose last licence goes to another in this wave is a new one when it is named again.
    left = {had[t, key] for t, key, name in wanted if (t, key) in had and had[t, key] != (t, name)}
    unnumbered = [(t, name) for t, _, name in asked if (t, name) not in programs or (t, name) in left]
    return LicenseFacts(
        found=found,
        programs=programs,
        fresh_ids=fresh_ids,
        fresh_program_ids=await reserve_program_ids(tx, len(unnumbered)),
    )


async def _apply(
    tx: Transaction,
    orders: Sequence[Order[C]],
    facts: LicenseFacts,
    decide: Callable[[LicenseWave, Sequence[Order[C]]], list[Decision]],
    at: datetime,
    *,
    capacities: Capacities | None = None,
    begun: Sequence[tuple[int, int]] = (),
) -> list[Decision]:
    ids = [(tenant_id, row.id) for (tenant_id, _), row in facts.found.items()]
    grants = await grants_of_licenses(tx, begun)
    seats = await load_seats(tx, at=at, licenses=ids, capacities=capacities or {}, grants=grants)
    licenses = LicenseBook(facts)
    decisions = decide(LicenseWave(licenses=licenses, seats=seats, at=at), orders)
    await remove_licenses(tx, licenses.rows.removed())
    await write_licenses(tx, licenses.rows.written())
    await write_dates(tx, licenses.moved_dates(), at)
    return await write_wave(tx, orders, decisions, seats.changes(), reached={}, at=at)


def _external_ids(
    orders: Sequence[Order[CreateProgramLicense]] | Sequence[Order[UpdateProgramLicense]],
) -> Iterator[tuple[int, str]]:
    """The external ids that licences are to have, or are found by."""
    for order in orders:
        sent = order.command.sent.get("external_id")
        if isinstance(sent, str):
            yield order.tenant_id, sent
        if isinstance(order.command, UpdateProgramLicense) and order.command.external_id is not None:
            yield order.tenant_id, order.command.external_id


def _updated(
    orders: Sequence[Order[UpdateProgramLicense]], found: Mapping[TenantKey, License]
) -> Iterator[tuple[Order[UpdateProgramLicense], License]]:
    """The orders whose licence there is, with what it was when the wave began."""
    by_id = {(tenant_id, row.id): row for (tenant_id, _), row in found.items()}
    by_external_id = {(tenant_id, row.external_id): row for (tenant_id, _), row in found.items()}
    for order in orders:
        row = by_id.get((order.tenant_id, order.command.license_id or 0))
        row = row or by_external_id.get((order.tenant_id, order.command.external_id))
        if row is not None:
            yield order, row


def _count(order: Order[UpdateProgramLicense], row: License) -> int | None:
    """The capacity as the order sends it, or as it is."""
    count = order.command.sent.get("count", row.capacity)
    return count if isinstance(count, int) else None


def _start(order: Order[UpdateProgramLicense], row: License) -> datetime | None:
    """The start as the order sends it, or as it is."""
    return instant(order.command.sent["started"]) if "started" in order.command.sent else row.starts_at


def _begun(asked: Iterable[tuple[int, License, datetime | None]], at: datetime) -> list[tuple[int, int]]:
    """(tenant, id) of licences whose start may be moved past this instant, or back: their groups are to be told of."""
    return sorted({(t, row.id) for t, row, start in asked if _is_ahead(row.starts_at, at) is not _is_ahead(start, at)})


def _is_ahead(start: datetime | None, at: datetime) -> bool:
    return start is not None and start > at


def _largest(asked: Iterable[tuple[int, int | None]]) -> Capacities:
    largest: Capacities = {}
    for number, capacity in asked:
        known = largest.get(number, 0)
        largest[number] = None if capacity is None or known is None else max(known, capacity)
    return largest
