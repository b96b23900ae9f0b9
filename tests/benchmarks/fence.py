"""What the second fence costs: the same reads with and without it, and accepting as the intake's role."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg

from domain.commands import GroupPut, PutGroups
from infra.local import databases
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, Reads, plain_dsn
from infra.postgres.fences import INTAKE, Fence
from infra.postgres.operations import NewOperation, Presentation, accept_operations, new_operation_id
from infra.postgres.reads import account, directory, operations, user_groups
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan
from tests.support.directory import add_groups, add_members, add_operations, add_people

SECTION = "second-fence"
PEOPLE = 30_000
RARE = user_groups.AssignmentsWanted(search="last12345")

_Read = Callable[[Reads, int], Awaitable[object]]
_READS: Mapping[str, _Read] = {
    "one person by key": lambda reads, tenant: directory.find_user(reads, tenant, "u77"),
    "quantities, one statement": account.quantities,
    "a page of 100 operations": lambda reads, tenant: operations.page_of_operations(
        reads, tenant, wanted=operations.OperationFilter(since=datetime(2000, 1, 1, tzinfo=UTC)), limit=100
    ),
    f"a rare term among {PEOPLE:,} people": lambda reads, tenant: user_groups.page_of_group(reads, tenant, "g1", RARE),
}


async def measure(plan: Plan) -> list[Figure]:
    """Medians of the same calls in turns; both ways are warm, and their plans are those of a long-lived session."""
    url = databases.create(plan.servers.database_url)
    times = 200 if plan.quick else 2_000
    try:
        async with AsyncExitStack() as stack:
            plain = await _opened(stack, Database(url, size=1))
            behind = await _opened(stack, Database(url, size=1))
            accepting = await _opened(stack, Database(url, size=1, role=INTAKE))
            tenant_id = await _filled(plain, url)
            fenced = Fence(behind).of_tenant(tenant_id)

            async def reads(sheet: Sheet) -> None:
                for name, read in _READS.items():
                    without, with_fence = await _in_turns(
                        times, lambda read=read: read(plain, tenant_id), lambda read=read: read(fenced, tenant_id)
                    )
                    _note(sheet, name, without, with_fence)

            async def writes(sheet: Sheet) -> None:
                for number in (1, 100):
                    without, with_role = await _in_turns(
                        times // number + 50,
                        lambda number=number: _accept(plain, tenant_id, number),
                        lambda number=number: _accept(accepting, tenant_id, number),
                    )
                    _note(sheet, f"accepting {number} in a transaction", without, with_role)

            return await plan.measure(SECTION, reads, writes)
    finally:
        databases.drop(url)


async def _opened(stack: AsyncExitStack, database: Database) -> Database:
    stack.push_async_callback(database.close)
    return database


async def _filled(database: Database, url: str) -> int:
    tenant = await create_tenant(database, key="fence", org="fence-org", name="Fence")
    sql = await asyncpg.connect(plain_dsn(url))
    try:
        await add_people(sql, tenant.id, PEOPLE)
        await add_groups(sql, tenant.id, 10)
        await add_members(sql, tenant.id, "g1", PEOPLE)
        await add_operations(sql, tenant.id, 5_000)
        await sql.execute("VACUUM ANALYZE")
    finally:
        await sql.close()
    return tenant.id


async def _in_turns(
    times: int, first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]]
) -> tuple[float, float]:
    """The medians of both in microseconds, call by call in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for call, into in ((first, taken[0]), (second, taken[1])):
            started = time.perf_counter()
            await call()
            into.append((time.perf_counter() - started) * 1e6)
    return statistics.median(taken[0]), statistics.median(taken[1])


async def _accept(database: Database, tenant_id: int, number: int) -> None:
    command = PutGroups(items=(GroupPut(key="g1", name="g1"),))
    new = [
        NewOperation(
            tenant_id=tenant_id,
            id=new_operation_id(),
            command=command,
            presentation=Presentation(form="none"),
            fingerprint=b"",
        )
        for _ in range(number)
    ]
    async with database.transaction() as tx:
        await accept_operations(tx, new)


def _note(sheet: Sheet, name: str, without: float, with_fence: float) -> None:
    sheet.note(f"{name}: without", without, "µs")
    sheet.note(f"{name}: with", with_fence, "µs")
    sheet.note(f"{name}: the fence", with_fence - without, "µs")
