"""What a recount has found, brought to what the rows say; each statement returns the rows that it has changed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("repair")


async def remove_stray_assignments(tx: Transaction, tenant_id: int, groups: Collection[int]) -> Sequence[Row]:
    """Assignments of these groups without their role or an active person go."""
    return await tx.fetch(_SQL["remove_stray_assignments"], tenant_id=tenant_id, group_ids=list(groups))


async def repair_members(tx: Transaction, tenant_id: int, groups: Collection[int]) -> None:
    """The members of these groups are those with a role in them."""
    await tx.execute(_SQL["remove_stray_members"], tenant_id=tenant_id, group_ids=list(groups))
    await tx.execute(_SQL["add_missing_members"], tenant_id=tenant_id, group_ids=list(groups))


async def remove_stray_sources(tx: Transaction, tenant_id: int, entitlements: Collection[int]) -> Sequence[Row]:
    """Sources of these entitlements that nothing gives any more go; returns the grants that they named."""
    return await tx.fetch(_SQL["remove_stray_sources"], tenant_id=tenant_id, entitlement_ids=list(entitlements))


async def end_stray_entitlements(tx: Transaction, tenant_id: int, entitlements: Collection[int]) -> Sequence[Row]:
    """Those of these entitlements without a source, their licence or their person go."""
    return await tx.fetch(_SQL["end_stray_entitlements"], tenant_id=tenant_id, entitlement_ids=list(entitlements))


async def repair_states(tx: Transaction, tenant_id: int, entitlements: Collection[int], at: datetime) -> Sequence[Row]:
    """These entitlements wait for what they should wait for; nobody is given a seat."""
    return await tx.fetch(_SQL["repair_states"], tenant_id=tenant_id, entitlement_ids=list(entitlements), at=at)


async def remove_stray_grants(tx: Transaction, tenant_id: int, grants: Collection[int]) -> None:
    """Those of these grants without their group or licence go."""
    await tx.execute(_SQL["remove_stray_grants"], tenant_id=tenant_id, grant_ids=list(grants))


async def recount_groups(tx: Transaction, tenant_id: int, groups: Collection[int]) -> Sequence[Row]:
    """Count the people and assignments of these groups again."""
    return await tx.fetch(_SQL["recount_groups"], tenant_id=tenant_id, group_ids=list(groups))


async def recount_grants(tx: Transaction, tenant_id: int, grants: Collection[int], at: datetime) -> Sequence[Row]:
    """Count the members of these grants again, by the states of their entitlements."""
    return await tx.fetch(_SQL["recount_grants"], tenant_id=tenant_id, grant_ids=list(grants), at=at)


async def recount_licenses(tx: Transaction, tenant_id: int, licenses: Collection[int]) -> Sequence[Row]:
    """Count the seats of these licences again."""
    return await tx.fetch(_SQL["recount_licenses"], tenant_id=tenant_id, license_ids=list(licenses))


async def restore_dates(tx: Transaction, tenant_id: int, licenses: Collection[int]) -> None:
    """Put the dates of these licences that are still to come on record again."""
    await tx.execute(_SQL["restore_dates"], tenant_id=tenant_id, license_ids=list(licenses))


async def recount_errors(tx: Transaction, tenant_id: int, errors: Collection[str]) -> int:
    """These errors count the dead letters that have them; returns how many there are."""
    rows = await tx.fetch(_SQL["recount_errors"], tenant_id=tenant_id, fingerprints=list(errors))
    await tx.execute(_SQL["remove_empty_errors"], tenant_id=tenant_id, fingerprints=list(errors))
    return len(rows)
