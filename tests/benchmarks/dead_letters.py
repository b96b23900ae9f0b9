"""100,000 dead letters redriven and discarded, while another call of their tenant comes in between; pages of operators.

One rule: what is redriven is applied, so the figure is that of the whole: queued again, applied, told of.
"""

import asyncio
import time
from functools import partial
from itertools import count

import asyncpg
import httpx

from infra.postgres import administration
from infra.postgres.database import Database
from tests.benchmarks.clients import client_of, until_ended, until_none
from tests.benchmarks.fan_out import IDLE_CALLS, Bystander, largest_worker
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.seats import new_license
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.workload import PEOPLE

SECTION = "dead-letters"
LETTERS = 100_000
# How often the operation is asked whether it has ended: seldom, since every look costs what it measures.
_PAGES = (
    ("errors", "/v1/ops/dead-letters/groups"),
    ("dead letters", "/v1/ops/dead-letters?limit=50"),
    ("dead letters of an error", "/v1/ops/dead-letters?limit=50&fingerprint=0123456789abcdef"),
    ("operations", "/v1/ops/operations?limit=50"),
    ("operations that failed", "/v1/ops/operations?limit=50&status=failed"),
)
_FAILED = """
WITH failed AS (
    INSERT INTO operation (tenant_id, id, kind, status, items, bytes, request, presentation, fingerprint, total, error,
                           error_group, started_at, finished_at)
    SELECT tenant.id, gen_random_uuid(), 'groups.put', 'failed', 1, 40,
           json_build_object('items', json_build_array(json_build_object('key', 'g' || n % 1000, 'name', 'G' || n))),
           '{"form": "native.group", "language": "en", "options": {}}', '', 1,
           '{"code": "OPERATION_RAISED", "message": "made by the benchmark"}', '0123456789abcdef', now(), now()
      FROM tenant CROSS JOIN generate_series(1, $2::int) AS n
     WHERE tenant.key = $1
    RETURNING tenant_id
)
INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count)
SELECT tenant_id, '0123456789abcdef', 'groups.put', 'OPERATION_RAISED', 'made by the benchmark', count(*)
  FROM failed GROUP BY tenant_id
"""


async def measure(plan: Plan) -> list[Figure]:
    """One tenant after the other, each with so many dead letters."""
    letters = LETTERS // 100 if plan.quick else LETTERS
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()
        operator = client_of(started, await _operator(started))
        tenants = count()

        async def step(sheet: Sheet) -> None:
            tenant = f"dead-{next(tenants)}"
            token = await new_tenant(started, tenant)
            client = client_of(started, token)
            people = (f"p{number:04}" for _ in count() for number in range(PEOPLE))
            own = Bystander(client=client, license_id=await new_license(client, "single", None), people=people)
            await _fill(started, tenant, letters)
            await _pages(sheet, operator, letters)
            await _redrive(sheet, started, operator, own, tenant=tenant, letters=letters)
            await _fill(started, tenant, letters)
            seconds = await _deal(operator, "discard", {"filter": {"tenant": tenant}, "reason": "measured"})
            sheet.note(f"{letters:,} dead letters: discarded", seconds, "s")
            started.verify()

        async with operator:
            return await plan.measure(SECTION, partial(step))


async def _redrive(
    sheet: Sheet, started: Service, operator: httpx.AsyncClient, own: Bystander, *, tenant: str, letters: int
) -> None:
    calls = iter(range(IDLE_CALLS))
    idle = await own.median_while(lambda: next(calls, None) is not None)
    running = asyncio.create_task(_deal(operator, "redrive", {"filter": {"tenant": tenant}}))
    meanwhile = asyncio.create_task(own.median_while(lambda: not running.done()))
    memory = await largest_worker(started, running)
    seconds = await running
    what = f"{letters:,} dead letters"
    sheet.note(f"{what}: redriven and applied", seconds, "s")
    sheet.note("  that is", letters / seconds, "operations/s")
    sheet.note("  worker's memory at most (RSS)", memory, "MB", under(200))
    sheet.note("  single calls of the same tenant, median when idle", idle, "ms")
    sheet.note("  the same meanwhile", await meanwhile, "ms")


async def _deal(operator: httpx.AsyncClient, action: str, body: dict[str, object]) -> float:
    """Seconds until all of it is done and nothing of the tenant is queued any more."""
    began = time.perf_counter()
    answer = await operator.post(f"/v1/ops/dead-letters:{action}", json=body, headers={"Prefer": "respond-async"})
    [operation] = answer.raise_for_status().json()["operations"]
    await until_ended(operator, f"/v1/ops/operations/{operation['id']}")
    await until_none(operator, f"/v1/ops/operations?tenant={operation['tenant']}&status=queued&kind=groups.put&limit=1")
    return time.perf_counter() - began


async def _pages(sheet: Sheet, operator: httpx.AsyncClient, letters: int) -> None:
    for name, path in _PAGES:
        began = time.perf_counter()
        for _ in range(IDLE_CALLS):
            (await operator.get(path)).raise_for_status()
        milliseconds = (time.perf_counter() - began) * 1_000 / IDLE_CALLS
        sheet.note(f"{letters:,} dead letters: a page of {name}", milliseconds, "ms", under(100))


async def _fill(started: Service, tenant: str, letters: int) -> None:
    connection = await asyncpg.connect(started.database_url)
    try:
        await connection.execute(_FAILED, tenant, letters)
        await connection.execute("VACUUM ANALYZE operation")
    finally:
        await connection.close()


async def _operator(started: Service) -> str:
    database = Database(started.database_url, size=1)
    try:
        return (await administration.create_token(database, tenant_key=None, scopes=["ops:write"])).token
    finally:
        await database.close()
