"""Recounts one tenant from its rows and reports every contradiction; it changes nothing and blocks nobody.

One rule: everything is read in one snapshot. A pass commits as a whole, so any snapshot lies between two passes, and
there what is counted and what is stored must be equal.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from domain.drift import Check, Finding, Report, differing
from infra.postgres import verify
from infra.postgres.database import Database, Row, Transaction
from infra.postgres.verify import VerifiedTenant
from workers.merging import side_by_side, summed

Advance = Callable[[int], None]
"""Called with the number of rows that have been read since the last call."""

_NOTHING: Mapping[str, Any] = Counter()
_GROUP_COUNTS = ("user_count", "assignment_count")
_GRANT_COUNTS = ("in_quota", "assigned", "waiting", "suspended")
_POOL_COUNTS = ("used", "queued", "waiting")
_STRAY = frozenset({"no license", "no person"})


async def recount(database: Database, tenant: VerifiedTenant, advance: Advance = lambda _rows: None) -> Report:
    """Recount the tenant as it is now, in a session of its own.

    A session keeps the height that it once saw of an index that it does not use. One that is as old as the tables were
    small takes a wrong index for the lower one, as long as the tables have no statistics.
    """
    async with await database.session() as session, session.snapshot() as tx:
        return await recount_within(tx, tenant, advance)


async def recount_within(tx: Transaction, tenant: VerifiedTenant, advance: Advance = lambda _rows: None) -> Report:
    """Recount the tenant as this transaction sees it, which must be the same from its first statement to its last."""
    began = time.monotonic()
    report = await _Recount(tx, tenant, advance).run()
    report.seconds = time.monotonic() - began
    return report


class _Recount:
    def __init__(self, tx: Transaction, tenant: VerifiedTenant, advance: Advance) -> None:
        self._tx = tx
        self._tenant_id = tenant.id
        self._advance = advance
        self._report = Report(tenant.key)

    async def run(self) -> Report:
        """Groups with their members, entitlements with their sources, grants, and at last the licences."""
        groups = verify.stored_groups(self._tx, self._tenant_id)
        async for group, counted in side_by_side(groups, summed(self._memberships())):
            self._report.add(_group_findings(group, counted or _NOTHING))
        pools = await self._entitlements()
        grants = verify.stored_grants(self._tx, self._tenant_id)
        async for grant, counted in side_by_side(grants, summed(self._sources())):
            if grant is not None:
                self._report.add(_grant_findings(grant, counted or _NOTHING))
        for license_of in await verify.stored_licenses(self._tx, self._tenant_id):
            self._report.add(_pool_findings(license_of, pools.get(license_of["id"], Counter())))
        self._report.add(map(_missed_date, await verify.missed_dates(self._tx, self._tenant_id)))
        errors = verify.stored_errors(self._tx, self._tenant_id)
        async for error, counted in side_by_side(errors, summed(verify.counted_errors(self._tx, self._tenant_id))):
            self._report.add(_error_findings(error, counted))
            self._read([counted or _NOTHING], "count")
        return self._report

    async def _memberships(self) -> AsyncIterator[Row]:
        async for part in verify.membership_slices(self._tx, self._tenant_id):
            for row in (rows := await verify.count_memberships(self._tx, self._tenant_id, part)):
                yield row
            self._report.add(map(_stray_assignment, await verify.stray_assignments(self._tx, self._tenant_id, part)))
            lacking = await verify.members_without_source(self._tx, self._tenant_id, part)
            self._report.add(map(_member_without_source, lacking))
            self._read(rows, "assignment_count")

    async def _entitlements(self) -> dict[int, Counter[str]]:
        pools: dict[int, Counter[str]] = {}
        async for part in verify.entitlement_slices(self._tx, self._tenant_id):
            rows = await verify.count_entitlements(self._tx, self._tenant_id, part)
            for row in rows:
                pools.setdefault(row["id"], Counter()).update({name: row[name] for name in _POOL_COUNTS})
            contradicted = await verify.contradicted_entitlements(self._tx, self._tenant_id, part)
            self._report.add(map(_contradicted, contradicted))
            alone = await verify.sources_without_entitlement(self._tx, self._tenant_id, part)
            self._report.add(map(_source_without_entitlement, alone))
            self._read(rows, "rows")
        return pools

    async def _sources(self) -> AsyncIterator[Row]:
        async for part in verify.source_slices(self._tx, self._tenant_id):
            for row in (rows := await verify.count_sources(self._tx, self._tenant_id, part)):
                yield row
            self._report.add(map(_stray_source, await verify.stray_sources(self._tx, self._tenant_id, part)))
            self._read(rows, "rows")

    def _read(self, rows: Sequence[Row], column: str) -> None:
        count = sum(row[column] for row in rows)
        self._report.rows += count
        self._advance(count)


def _group_findings(group: Row | None, counted: Row) -> Iterator[Finding]:
    if group is None:
        subject, group_id = f"groups/{counted['id']}", counted["id"]
    else:
        subject, group_id = f"groups/{group['key']}", group["id"]
        wrong = differing(group, {name: counted[name] for name in _GROUP_COUNTS})
        if wrong:
            yield Finding(Check.GROUP_COUNTS, subject, wrong, group_id=group_id)
    torn = {name: counted[name] for name in ("without_member", "without_assignment") if counted[name]}
    if torn:
        yield Finding(Check.GROUP_MEMBERS, subject, torn, group_id=group_id)


def _grant_findings(grant: Row, counted: Row) -> Iterator[Finding]:
    subject = f"group_licenses/{grant['id']}"
    ids = {"grant_id": grant["id"], "group_id": grant["group_id"], "license_id": grant["license_id"]}
    if grant["is_stray"]:
        named = {"group_id": grant["group_id"], "license_id": grant["license_id"]}
        yield Finding(Check.STRAY_GRANT, subject, named, **ids)
    wrong = differing(grant, {name: counted[name] for name in _GRANT_COUNTS})
    if wrong:
        yield Finding(Check.GRANT_COUNTS, subject, wrong, **ids)
    quota, within, beyond = grant["quota"], counted["in_quota"], counted["blocked"]
    exceeded = quota is not None and within > quota
    left_over = beyond > 0 and (quota is None or within < quota)
    if exceeded or (left_over and not grant["is_moving"]):
        seats = {"quota": quota, "in_quota": within, "waiting_for_it": beyond}
        yield Finding(Check.GRANT_QUOTA, subject, seats, **ids)


def _pool_findings(pool: Row, counted: Counter[str]) -> Iterator[Finding]:
    subject, license_id = f"licenses/{pool['key']}", pool["id"]
    held_back = pool["held_back"]
    now = {**{name: counted[name] for name in _POOL_COUNTS}, "reserved": held_back}
    wrong = differing(pool, now)
    if wrong:
        yield Finding(Check.POOL_COUNTS, subject, wrong, license_id=license_id)
    free = None if pool["capacity"] is None else pool["capacity"] - counted["used"] - held_back
    seats = {"capacity": pool["capacity"], "used": counted["used"], "reserved": held_back}
    if free is not None and free < 0:
        yield Finding(Check.POOL_OVERSOLD, subject, seats, license_id=license_id)
    waits_for_nothing = counted["queued"] > 0 and (free is None or free > 0)
    if waits_for_nothing and pool["gives"] and not pool["is_moving"]:
        yield Finding(Check.WAITING_LIST, subject, {**seats, "queued": counted["queued"]}, license_id=license_id)


def _missed_date(row: Row) -> Finding:
    return Finding(Check.MISSED_DATE, f"licenses/{row['key']}", {"reason": row["reason"]}, license_id=row["id"])


def _error_findings(error: Row | None, counted: Row | None) -> Iterator[Finding]:
    stored, found = (0 if one is None else one["count"] for one in (error, counted))
    if stored != found:
        fingerprint = (error or counted or _NOTHING)["id"]
        counts = {"stored": stored, "counted": found}
        yield Finding(Check.ERROR_COUNTS, f"errors/{fingerprint}", {**counts}, error=fingerprint)


def _stray_assignment(row: Row) -> Finding:
    group = row["group_key"] or row["group_id"]
    details = {"user_id": row["user_id"], "role_id": row["role_id"], "reason": row["reason"]}
    return Finding(Check.STRAY_ASSIGNMENT, f"groups/{group}", details, group_id=row["group_id"])


def _member_without_source(row: Row) -> Finding:
    return Finding(
        Check.MEMBER_WITHOUT_SOURCE,
        f"groups/{row['group_key']}",
        {"assignment_id": row["grant_id"], "license_id": row["license_id"], "user_id": row["user_id"]},
        grant_id=row["grant_id"],
        group_id=row["group_id"],
        license_id=row["license_id"],
    )


def _contradicted(row: Row) -> Finding:
    check = Check.STRAY_ENTITLEMENT if row["reason"] in _STRAY else Check.ENTITLEMENT_STATE
    if row["reason"] == "no source":
        check = Check.ENTITLEMENT_WITHOUT_SOURCE
    return Finding(
        check,
        f"entitlements/{row['id']}",
        {"license_id": row["license_id"], "state": row["state"], "reason": row["reason"]},
        license_id=row["license_id"],
        entitlement_id=row["id"],
    )


def _source_without_entitlement(row: Row) -> Finding:
    details = {"assignment_id": row["grant_id"], "reason": "no entitlement"}
    return Finding(
        Check.STRAY_SOURCE, f"entitlements/{row['entitlement_id']}", details, entitlement_id=row["entitlement_id"]
    )


def _stray_source(row: Row) -> Finding:
    return Finding(
        Check.STRAY_SOURCE,
        f"entitlements/{row['entitlement_id']}",
        {"assignment_id": row["grant_id"], "license_id": row["license_id"], "reason": row["reason"]},
        group_id=row["group_id"],
        grant_id=row["grant_id"],
        license_id=row["license_id"],
        entitlement_id=row["entitlement_id"],
    )
