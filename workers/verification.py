"""Recounts every tenant once a day, in an hour when little else is done, and shows what it found to whoever watches.

One rule: one worker does it. Its lock is held until the hour is over, so that no other does the same again.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime

import structlog

from domain.drift import Check, Finding, Report
from infra.postgres.database import Database, Session
from infra.postgres.faults import is_transient
from infra.postgres.verify import (
    VerifiedTenant,
    lead_verification,
    leader_session,
    ping_verification,
    tenants_to_verify,
)
from infra.traces import trace
from workers.recount import recount

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 60.0
_PING_SECONDS = 15.0
_TOLD_FINDINGS = 10


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Verification:
    """Runs in every worker; `hour` is of UTC, 0 to 23."""

    def __init__(self, *, database: Database, hour: int, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = database
        self._hour = hour
        self._now = now
        self._done: date | None = None
        self.rounds = 0

    async def run(self) -> None:
        """Look every minute whether the hour has come, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            try:
                await self.once()
            except Exception as error:
                if not _passes(error):
                    raise
                log.info("the daily recount was interrupted", error=repr(error))

    async def once(self) -> None:
        """In the hour, and once a day: recount, unless another worker does, and hold the lock to the hour's end."""
        now = self._now()
        if now.hour != self._hour or self._done == now.date():
            return
        async with await leader_session(self._database) as session:
            if await lead_verification(session):
                await self._lead(session)
                self._done = now.date()

    async def verify(self) -> None:
        """Recount every tenant now; drift is a line of the log for each tenant, and numbers in /metrics."""
        began, found = time.monotonic(), Counter[Check]()
        rows = failed = 0
        tenants = await tenants_to_verify(self._database)
        for tenant in tenants:
            report = await self._recount(tenant)
            if report is None:
                failed += 1
                continue
            rows += report.rows
            found.update(report.found)
        shown = self._database.measures.verifying
        for check in Check:
            shown.drift.set(found[check], check.value)
        seconds = time.monotonic() - began
        shown.tenants.set(len(tenants) - failed)
        shown.failed.set(failed)
        shown.rows.set(rows)
        shown.seconds.set(seconds)
        shown.finished.set(time.time())
        self.rounds += 1
        log.info("the daily recount has ended", tenants=len(tenants), failed=failed, rows=rows, drift=found.total())

    async def _lead(self, session: Session) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hold(session))
            await self.verify()

    async def _hold(self, session: Session) -> None:
        """Keep the lock to the hour's end, however soon the recount is done."""
        while self._now().hour == self._hour:
            await asyncio.sleep(_PING_SECONDS)
            await ping_verification(session)

    async def _recount(self, tenant: VerifiedTenant) -> Report | None:
        try:
            report = await recount(self._database, tenant)
        except Exception as error:  # noqa: BLE001 - one tenant that cannot be read must not hide the drift of the others
            log.warning("a tenant could not be recounted", tenant_id=tenant.id, error=trace(error))
            return None
        if report.drift:
            log.error(
                "counts and rows contradict each other",
                tenant_id=tenant.id,
                drift=report.drift,
                checks={check.value: count for check, count in sorted(report.found.items())},
                findings=[_ids(finding) for finding in report.findings[:_TOLD_FINDINGS]],
            )
        return report


def _passes(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return all(map(_passes, error.exceptions))
    return is_transient(error)


def _ids(finding: Finding) -> dict[str, str | int]:
    """Ids only: keys are the upstream's words, which log lines do not repeat."""
    ids = {
        "group_id": finding.group_id,
        "grant_id": finding.grant_id,
        "license_id": finding.license_id,
        "entitlement_id": finding.entitlement_id,
    }
    return {"check": finding.check.value, **{name: number for name, number in ids.items() if number is not None}}
