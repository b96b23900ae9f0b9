"""`seatline verify`: recounts tenants from their rows and reports every contradiction.

One rule: exit code 0 means that no drift is left, 1 that some is, or that it could not be told.
"""

import json
import sys
from collections.abc import Iterator, Mapping

import click

from domain.administration import TenantDoesNotExistError
from domain.drift import Finding, Report
from infra.postgres.database import Database
from infra.postgres.verify import VerifiedTenant, expected_rows, tenants_to_verify
from workers.cli.bars import bar
from workers.cli.repairing import ROUNDS, repair
from workers.cli.straight import run
from workers.recount import recount

SHOWN_FINDINGS = 20


@click.command()
@click.option("--tenant", metavar="KEY", help="Only this tenant (default: all).")
@click.option("--repair", "is_repairing", is_flag=True, help="Have workers repair what is found, and recount it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def verify(tenant: str | None, *, is_repairing: bool, as_json: bool) -> None:
    """Recount everything from the rows; exit code 1 where a count or a row contradicts another.

    Nothing is blocked meanwhile: each tenant is recounted in one snapshot of the database. A repair is an operation in
    the tenant's own log, with events, and needs a running worker; what it cannot mend is reported.
    """
    reports = run(lambda database: _recount(database, tenant, is_repairing=is_repairing), name="seatline verify")
    drift = sum(report.drift for report in reports)
    if as_json:
        click.echo(json.dumps({"drift": drift, "tenants": [report.document for report in reports]}))
    else:
        click.echo("\n".join(_lines(reports)))
    sys.exit(1 if drift else 0)


async def _recount(database: Database, key: str | None, *, is_repairing: bool) -> list[Report]:
    tenants = await tenants_to_verify(database, key)
    if key is not None and not tenants:
        raise TenantDoesNotExistError(f"there is no tenant {key!r}")
    with bar("recounting", await expected_rows(database, tenants)) as advance:
        reports = [await recount(database, tenant, advance) for tenant in tenants]
    if not is_repairing:
        return reports
    return [await repaired(database, *one) if one[1].drift else one[1] for one in zip(tenants, reports, strict=True)]


async def repaired(database: Database, tenant: VerifiedTenant, found: Report) -> Report:
    """Repair what was found; returns what is left. It ends when nothing is, or when a round has mended nothing."""
    left = found
    for _ in range(ROUNDS):
        await repair(database, tenant, left)
        before, left = left, await recount(database, tenant)
        if not left.drift or left.findings == before.findings:
            break
    left.repaired = found.drift - left.drift
    return left


def _lines(reports: list[Report]) -> Iterator[str]:
    for report in reports:
        if report.repaired:
            yield f"{report.tenant}: {report.repaired:,} contradictions repaired"
        if report.drift:
            yield f"{report.tenant}: {report.drift:,} contradictions in {report.rows:,} rows"
            yield from (f"  {_line(finding)}" for finding in report.findings[:SHOWN_FINDINGS])
            if report.drift > SHOWN_FINDINGS:
                yield f"  … and {report.drift - SHOWN_FINDINGS:,} more; --json prints {len(report.findings):,}"
            yield from (f"  {check.value}: it should be that {check.sentence}" for check in sorted(report.found))
    drift, rows = sum(report.drift for report in reports), sum(report.rows for report in reports)
    seconds = sum(report.seconds for report in reports)
    tenants = "1 tenant" if len(reports) == 1 else f"{len(reports):,} tenants"
    yield f"{tenants}, {rows:,} rows recounted in {seconds:.1f} s: " + (f"drift {drift:,}" if drift else "no drift")


def _line(finding: Finding) -> str:
    details = ", ".join(f"{name} {_detail(value)}" for name, value in finding.details.items())
    return f"{finding.check.value}  {finding.subject}  {details}"


def _detail(value: object) -> str:
    if isinstance(value, Mapping):
        return f"is {value['stored']}, should be {value['counted']}"
    return str(value)
