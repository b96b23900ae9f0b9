"""Licence pools in Postgres: the facts a wave is planned on, and its net effect. Arrays in, sets out."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.license_commands import LicenseKind
from domain.licenses import License
from domain.users import compact
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("licenses")

TenantKey = tuple[int, str]


async def read_licenses(
    tx: Transaction,
    *,
    keys: Iterable[TenantKey] = (),
    ids: Iterable[tuple[int, int]] = (),
    codes: Iterable[TenantKey] = (),
    external_ids: Iterable[TenantKey] = (),
) -> dict[TenantKey, License]:
    """Licences with these keys, ids, codes or external ids, by (tenant, key)."""
    lists: list[list[tuple[int, Any]]] = [sorted(set(pairs)) for pairs in (keys, ids, codes, external_ids)]
    if not any(lists):
        return {}
    columns = [[pair[1] if other is own else None for other in lists for pair in other] for own in lists]
    rows = await tx.fetch(
        _SQL["licenses_in_question"],
        tenant_ids=[pair[0] for pairs in lists for pair in pairs],
        keys=columns[0],
        ids=columns[1],
        codes=columns[2],
        external_ids=columns[3],
    )
    return {(row["tenant_id"], row["key"]): _license(row) for row in rows}


async def read_programs(tx: Transaction, keys: Iterable[TenantKey]) -> dict[TenantKey, tuple[int, int]]:
    """(tenant, program key) -> the program's number, and how many licences have it."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    rows = await tx.fetch(
        _SQL["programs"], tenant_ids=[pair[0] for pair in wanted], program_keys=[pair[1] for pair in wanted]
    )
    return {(row["tenant_id"], row["program_key"]): (row["program_id"], row["licenses"]) for row in rows}


async def in_use(tx: Transaction, licenses: Mapping[TenantKey, License]) -> dict[TenantKey, License]:
    """The licences, with whether anybody has them."""
    if not licenses:
        return {}
    pairs = sorted((tenant_id, row.id) for (tenant_id, _), row in licenses.items())
    rows = await tx.fetch(_SQL["licenses_in_use"], **_ids(pairs))
    used = {row["id"] for row in rows}
    return {place: dataclasses.replace(row, is_in_use=row.id in used) for place, row in licenses.items()}


async def reserve_license_ids(tx: Transaction, count: int) -> Iterator[int]:
    """Fresh ids; one that is not used is lost, as sequences are."""
    return await _reserve(tx, "license", count)


async def reserve_program_ids(tx: Transaction, count: int) -> Iterator[int]:
    """Fresh numbers of programs, likewise."""
    return await _reserve(tx, "program", count)


async def write_licenses(tx: Transaction, rows: Sequence[tuple[int, License]]) -> None:
    """New and changed (tenant, licence) rows, in one statement."""
    if rows:
        licenses = [row for _, row in rows]
        await tx.execute(
            _SQL["write_licenses"],
            tenant_ids=[tenant_id for tenant_id, _ in rows],
            ids=[row.id for row in licenses],
            keys=[row.key for row in licenses],
            names=[row.name for row in licenses],
            kinds=[row.kind.value for row in licenses],
            codes=[row.code for row in licenses],
            program_ids=[row.program_id for row in licenses],
            program_keys=[row.program_key for row in licenses],
            program_names=[row.program_name for row in licenses],
            external_ids=[row.external_id for row in licenses],
            sources=[row.source for row in licenses],
            transaction_ids=[row.transaction_id for row in licenses],
            change_types=[row.change_type for row in licenses],
            metadatas=[row.metadata for row in licenses],
            enrollment_configs=[row.enrollment_config for row in licenses],
            capacities=[row.capacity for row in licenses],
            actives=[row.active for row in licenses],
            starts=[row.starts_at for row in licenses],
            ends=[row.expires_at for row in licenses],
            created_ats=[row.created_at for row in licenses],
            updated_ats=[row.updated_at for row in licenses],
        )


async def grants_of_licenses(tx: Transaction, licenses: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The (tenant, id) grants that give these (tenant, id) licences to groups."""
    if not licenses:
        return []
    return [(row["tenant_id"], row["id"]) for row in await tx.fetch(_SQL["grants_of_licenses"], **_ids(licenses))]


async def write_dates(tx: Transaction, moved: Sequence[tuple[int, License]], at: datetime) -> None:
    """Keep the dates of these (tenant, licence) rows, in the place of those that they had."""
    await forget_dates(tx, [(tenant_id, row.id) for tenant_id, row in moved])
    starts = [(t, row.id, "start", row.starts_at) for t, row in moved if row.starts_at and row.starts_at > at]
    ends = [(t, row.id, "end", row.expires_at) for t, row in moved if row.expires_at]
    planned = sorted(starts + ends)
    if planned:
        await tx.execute(
            _SQL["write_dates"],
            tenant_ids=[date[0] for date in planned],
            ids=[date[1] for date in planned],
            kinds=[date[2] for date in planned],
            ats=[date[3] for date in planned],
        )


async def forget_dates(tx: Transaction, licenses: Sequence[tuple[int, int]]) -> None:
    """Nothing is due any more of these (tenant, id) licences."""
    if licenses:
        await tx.execute(_SQL["forget_dates"], **_ids(licenses))


async def remove_licenses(tx: Transaction, licenses: Sequence[tuple[int, int]]) -> None:
    """Delete these (tenant, id) licences and their dates."""
    if licenses:
        await tx.execute(_SQL["remove_licenses"], **_ids(licenses))
    await forget_dates(tx, licenses)


async def _reserve(tx: Transaction, thing: str, count: int) -> Iterator[int]:
    if not count:
        return iter(())
    return iter([row["id"] for row in await tx.fetch(_SQL[f"reserve_{thing}_ids"], count=count)])


def _license(row: Row) -> License:
    return License(
        id=row["id"],
        key=row["key"],
        name=row["name"],
        kind=LicenseKind(row["kind"]),
        capacity=row["capacity"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        code=row["code"],
        program_id=row["program_id"],
        program_key=row["program_key"],
        program_name=row["program_name"],
        external_id=row["external_id"],
        source=row["source"],
        transaction_id=row["transaction_id"],
        change_type=row["change_type"],
        metadata=None if row["metadata"] is None else compact(row["metadata"]),
        enrollment_config=None if row["enrollment_config"] is None else compact(row["enrollment_config"]),
        active=row["active"],
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
    )


def _ids(pairs: Sequence[tuple[int, int]]) -> dict[str, list[int]]:
    return {"tenant_ids": [pair[0] for pair in pairs], "ids": [pair[1] for pair in pairs]}
