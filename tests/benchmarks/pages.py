"""What operators read, at a size where anything is quick and at ten million operations, call by call in turns.

One rule: both are the same pages of the same kind of rows, so that what a page costs more is what it does not bound.
"""

import statistics
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict

import httpx

from infra.postgres.administration import create_token
from infra.postgres.database import Database
from tests.benchmarks.clients import client_of
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.filled import Example, fill
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, on_database

SECTION = "pages"
CALLS = 20
# Operations and dead letters; and as many licences, licences of groups and audit entries as dead letters.
SIZES = ((10_000, 1_000), (10_000_000, 100_000))
QUICK = ((1_000, 100), (100_000, 1_000))
_READS = {
    "overview": "/v1/ops/overview",
    "its last hour": "/v1/ops/overview/history",
    "operations": "/v1/ops/operations",
    "operations of a tenant": "/v1/ops/operations?tenant={tenant}",
    "operations: by id": "/v1/ops/operations?id={id}",
    "operations: by idempotency key": "/v1/ops/operations?idempotency_key={idempotency_key}",
    "operations: failed": "/v1/ops/operations?status=failed",
    "operations: queued": "/v1/ops/operations?status=queued",
    "operations: cancelled, few of many": "/v1/ops/operations?status=cancelled",
    "operations: of a person": "/v1/ops/operations?tenant={tenant}&user={user}",
    "one operation": "/v1/ops/operations/{id}",
    "errors": "/v1/ops/dead-letters/groups",
    "dead letters": "/v1/ops/dead-letters",
    "dead letters of an error": "/v1/ops/dead-letters?fingerprint=0000000000000007",
    "dead letters of an error of a tenant": "/v1/ops/dead-letters?fingerprint=0000000000000007&tenant={tenant}",
    "audit": "/v1/ops/audit",
    "licences of groups": "/v1/ops/fulfilment/groups",
    "licences": "/v1/ops/fulfilment/licenses",
    "who waits": "/v1/ops/fulfilment/waiting",
    "events": "/v1/ops/events",
    "events of a tenant": "/v1/ops/events?tenant={tenant}",
    "workers": "/v1/ops/workers",
}
# These walk through windows until a page is full or the last window of a call is read. Ten thousand operations are less
# than that, so that the other size is compared with what a person waits for, in milliseconds.
_SEARCHES = frozenset(
    {"operations: cancelled, few of many", "operations: of a person", "console: operations of a person"}
)
_SEARCHED = 300
_SIGN_IN = "/console/sign-in"
_CONSOLE = {
    "console: overview": "/console/overview",
    "console: operations": "/console/operations",
    "console: operations of a person": "/console/operations?tenant={tenant}&user={user}",
    "console: one operation": "/console/operations/{id}",
    "console: errors": "/console/dead-letters",
    "console: dead letters": "/console/dead-letters/list",
    "console: dead letters of an error": "/console/dead-letters/list?fingerprint=0000000000000007",
    "console: licences of groups": "/console/fulfilment",
    "console: licences": "/console/fulfilment/licenses",
    "console: events": "/console/events",
    "console: who waits": "/console/fulfilment/waiting",
    "console: workers": "/console/overview/workers",
    "console: audit": "/console/audit",
}


async def measure(plan: Plan) -> list[Figure]:
    """Fill a database of each size, serve both, and ask both in turns; no worker is there to change anything."""
    sizes = QUICK if plan.quick else SIZES
    async with AsyncExitStack() as stack:
        served: dict[int, tuple[httpx.AsyncClient, Example]] = {}
        for operations, letters in sizes:
            started = stack.enter_context(on_database(plan.servers, SECTION))
            began = time.monotonic()
            example = await fill(started.database_url, operations=operations, letters=letters)
            plan.say(f"{SECTION}: {operations:,} operations filled in {time.monotonic() - began:.0f} s")
            client = await _operator(started)
            stack.push_async_callback(client.aclose)
            served[operations] = (client, example)

        async def reads(sheet: Sheet) -> None:
            for name, path in (_READS | _CONSOLE).items():
                asked = {size: (client, path.format_map(asdict(one))) for size, (client, one) in served.items()}
                few, many = await in_turns(asked)
                sheet.note(f"{name}: {sizes[0][0]:,} operations", few, "ms")
                goal = _SEARCHED if name in _SEARCHES else 3 * few + 10
                sheet.note(f"{name}: {sizes[1][0]:,} operations", many, "ms", under(goal))

        return await plan.measure(SECTION, reads)


async def _operator(started: Service) -> httpx.AsyncClient:
    """The API begins once the rows are there; a client of an operator who is signed in at the console too."""
    started.start(f"api-{started.port}", "api", "--port", str(started.port))
    await started.ready()
    database = Database(started.database_url, size=1)
    try:
        token = (await create_token(database, tenant_key=None, scopes=["ops:write"])).token
    finally:
        await database.close()
    client = client_of(started, token)
    answer = await client.post(_SIGN_IN, data={"token": token}, headers={"Origin": started.url})
    if not client.cookies:  # only who is signed in has any
        raise RuntimeError(f"POST {_SIGN_IN}: {answer.status_code} {answer.text[:300]}")
    return client


async def in_turns(asked: Mapping[int, tuple[httpx.AsyncClient, str]], *, calls: int = CALLS) -> list[float]:
    """The median of so many calls of each in milliseconds; one more, the first of each, only warms up."""
    taken: dict[int, list[float]] = {size: [] for size in asked}
    for _ in range(calls + 1):
        for size, (client, path) in asked.items():
            began = time.perf_counter()
            answer = await client.get(path)
            taken[size].append((time.perf_counter() - began) * 1_000)
            if not answer.is_success:
                raise RuntimeError(f"GET {path}: {answer.status_code} {answer.text[:300]}")
    return [statistics.median(times[1:]) for times in taken.values()]
