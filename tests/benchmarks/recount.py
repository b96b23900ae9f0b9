"""A tenant with a million seats recounted from its rows, in a snapshot and, for comparison, under its lock.

One rule: what it costs others is measured too: single calls of the very tenant that is recounted, meanwhile.
"""

import asyncio
import time
from functools import partial
from itertools import cycle

from infra.postgres.database import Database
from infra.postgres.passes import lock_tenants
from infra.postgres.verify import VerifiedTenant, tenants_to_verify
from tests.benchmarks.clients import client_of
from tests.benchmarks.fan_out import IDLE_CALLS, MEMBERS, Bystander, crowd, fan_out
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.seats import new_license
from tests.benchmarks.service import service
from workers.recount import recount, recount_within

SECTION = "recount"
SEATS = 1_000_000
TENANT = "recounted"


async def measure(plan: Plan) -> list[Figure]:
    """One tenant, filled by the service itself; then a recount of each kind, in turns."""
    seats = MEMBERS // 10 if plan.quick else SEATS
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()
        group_id, token = await crowd(started, TENANT, seats)
        database = Database(started.database_url, size=2)
        try:
            async with client_of(started, token) as client:
                await fan_out(client, await new_license(client, "for-everybody", seats), group_id)
                own = Bystander(
                    client=client,
                    license_id=await new_license(client, "single", None),
                    people=cycle(f"m{number}" for number in range(1, 1_001)),
                )
                [tenant] = await tenants_to_verify(database, TENANT)
                steps = (partial(_snapshot, seats=seats), partial(_locked, seats=seats))
                return await plan.measure(
                    SECTION, *(partial(step, database=database, tenant=tenant, own=own) for step in steps)
                )
        finally:
            await database.close()


async def _snapshot(sheet: Sheet, database: Database, tenant: VerifiedTenant, own: Bystander, seats: int) -> None:
    calls = iter(range(IDLE_CALLS))
    idle = await own.median_while(lambda: next(calls, None) is not None)
    running = asyncio.create_task(recount(database, tenant))
    meanwhile = await own.median_while(lambda: not running.done())
    report = running.result()
    if report.drift:
        raise RuntimeError(f"there is drift: {report.document}")
    what = f"{seats:,} seats"
    sheet.note(f"{what}: recounted in a snapshot", report.seconds, "s")
    sheet.note("  that is", report.rows / report.seconds, "rows/s")
    sheet.note("  single calls of the same tenant, median when idle", idle, "ms")
    sheet.note("  the same meanwhile", meanwhile, "ms")
    sheet.note("  that is, times the idle median", meanwhile / idle, "times", under(3))


async def _locked(sheet: Sheet, database: Database, tenant: VerifiedTenant, own: Bystander, seats: int) -> None:
    """What the tenant's next call would wait for."""
    locked = asyncio.Event()

    async def under_its_lock() -> None:
        async with database.transaction() as tx:
            if not await lock_tenants(tx, [tenant.id]):
                raise RuntimeError("somebody else holds the tenant")
            locked.set()
            await recount_within(tx, tenant)

    running = asyncio.create_task(under_its_lock())
    await asyncio.wait([running, asyncio.ensure_future(locked.wait())], return_when=asyncio.FIRST_COMPLETED)
    began = time.monotonic()
    await own.call()
    sheet.note(
        f"{seats:,} seats: a call of the same tenant, were it done under its lock", time.monotonic() - began, "s"
    )
    await running
