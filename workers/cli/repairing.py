"""Has workers repair what a recount has found, by operations in the tenant's own log.

One rule: nothing is changed from here; counts and events change under the tenant's lock, in a pass as every other.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import click

from domain.commands import Command, RepairCounts
from domain.drift import Check, Finding, Report
from domain.license_commands import CheckLicenses, ReprocessGroup
from domain.outcomes import OperationStatus
from infra.postgres.database import Database
from infra.postgres.operations import (
    NewOperation,
    Presentation,
    accept_operations,
    new_operation_id,
    read_finished,
)
from infra.postgres.verify import VerifiedTenant

ROUNDS = 5
"""So often at most a tenant is repaired and recounted: what is left then cannot be mended by counting."""

_IDS = 1_000
_GLANCE = 0.1
_PATIENCE_SECONDS = 60.0
_CONVERGED = frozenset({Check.GROUP_MEMBERS, Check.MEMBER_WITHOUT_SOURCE, Check.STRAY_SOURCE})
_PROMOTED = frozenset(
    {
        Check.ENTITLEMENT_STATE,
        Check.ENTITLEMENT_WITHOUT_SOURCE,
        Check.MISSED_DATE,
        Check.STRAY_ENTITLEMENT,
        Check.WAITING_LIST,
    }
)


async def repair(database: Database, tenant: VerifiedTenant, report: Report) -> None:
    """Have everything repaired that the report has kept: first what contradicts itself, then what follows from it.

    Raises:
        click.ClickException: a repair failed, or nobody applied it.
    """
    await _applied(database, tenant, list(_counts(report.findings)))
    await _applied(database, tenant, list(_consequences(report.findings)))


def _counts(findings: Sequence[Finding]) -> Iterator[Command]:
    groups, grants = _ids(findings, "group_id"), _ids(findings, "grant_id")
    licenses, entitlements = _ids(findings, "license_id"), _ids(findings, "entitlement_id")
    errors = tuple(sorted({finding.error for finding in findings if finding.error is not None}))
    for begin in range(0, max(map(len, (groups, grants, licenses, entitlements, errors))), _IDS):
        part = slice(begin, begin + _IDS)
        yield RepairCounts(
            groups=groups[part],
            grants=grants[part],
            licenses=licenses[part],
            entitlements=entitlements[part],
            errors=errors[part],
        )


def _consequences(findings: Sequence[Finding]) -> Iterator[Command]:
    torn = {finding.subject for finding in findings if finding.check in _CONVERGED}
    for subject in sorted(torn):
        kind, _, key = subject.partition("/")
        if kind == "groups":
            yield ReprocessGroup(group=key)
    licenses = _ids([finding for finding in findings if finding.check in _PROMOTED], "license_id")
    for begin in range(0, len(licenses), _IDS):
        yield CheckLicenses(license_ids=licenses[begin : begin + _IDS])


def _ids(findings: Sequence[Finding], name: str) -> tuple[int, ...]:
    return tuple(sorted({number for finding in findings if (number := getattr(finding, name)) is not None}))


async def _applied(database: Database, tenant: VerifiedTenant, commands: Sequence[Command]) -> None:
    if not commands:
        return
    operations = [
        NewOperation(
            tenant_id=tenant.id,
            id=new_operation_id(),
            command=command,
            presentation=Presentation(form="internal"),
            fingerprint=b"",
        )
        for command in commands
    ]
    async with database.transaction() as tx:
        await accept_operations(tx, operations)
    await _finished(database, tenant, {operation.id for operation in operations})


async def _finished(database: Database, tenant: VerifiedTenant, waiting: set[UUID]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while waiting:
        views = await read_finished(database, [(tenant.id, operation_id) for operation_id in waiting])
        for view in views:
            if view.status is OperationStatus.FAILED:
                raise click.ClickException(f"the repair {view.id} ({view.kind}) failed: see /v1/operations")
        ended = {view.id for view in views if not view.status.is_open}
        waiting -= ended
        if ended:
            deadline = time.monotonic() + _PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise click.ClickException("no worker applies the repair: is one running?")
        await asyncio.sleep(_GLANCE)
