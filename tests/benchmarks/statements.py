"""How many SQL statements a pass takes for 1, 10 and 100 items: all that is sent, BEGIN and COMMIT included."""

import asyncio

import asyncpg
from typing_extensions import override

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from infra.local import databases
from infra.postgres import administration
from infra.postgres.database import Database
from infra.postgres.operations import NewOperation, Presentation, accept_operations, new_operation_id
from tests.benchmarks.figures import Figure, Sheet
from tests.support.directory import add_groups, add_people
from workers.delivery import Delivery
from workers.handlers import HANDLERS
from workers.liveness import Liveness
from workers.ready import ReadySet
from workers.waves import Budget

SECTION = "figures"
SIZES = (1, 10, 100)
GROUPS = 40


class CountingDatabase(Database):
    """A database that counts what each of its connections sends."""

    sent = 0

    @override
    async def _connect(self, **settings: str) -> asyncpg.Connection:
        connection = await super()._connect(**settings)
        connection.add_query_logger(self._count)
        return connection

    def _count(self, _query: object) -> None:
        self.sent += 1


async def measure(server_url: str) -> list[Figure]:
    """Statements of one pass over one command, for each size."""
    url = databases.create(server_url)
    database = CountingDatabase(url)
    try:
        tenant = await administration.create_tenant(database, key="count", org="count", name="Count")
        await _fill(url, tenant.id)
        delivery, ready = _worker(database)
        sheet = Sheet(SECTION)
        first = 0
        for size in (7, *SIZES):  # the first pass prepares the statements and registers the worker
            await _accept(database, tenant.id, first, size)
            ready.add(tenant.id)
            await asyncio.sleep(0)  # the driver tells of a statement at the loop's next turn
            before = database.sent
            await delivery.turn(await ready.next())
            await asyncio.sleep(0)
            if size in SIZES:
                sheet.note(f"SQL statements of a pass, {size} items", database.sent - before, "statements")
            first += size
        return sheet.figures()
    finally:
        await database.close()
        databases.drop(url)


def _worker(database: Database) -> tuple[Delivery, ReadySet]:
    ready = ReadySet(share=250, tenants=1_000)
    delivery = Delivery(
        database=database,
        ready=ready,
        inflight=Liveness(database=database, name="bench", version="bench"),
        budget=Budget(operations=500, items=1_000, bytes=2**23),
        handlers=HANDLERS,
        committed=_announce_nothing,
    )
    return delivery, ready


async def _announce_nothing(_replies: object) -> None:
    """Nobody waits for a reply."""


async def _accept(database: Database, tenant_id: int, first: int, size: int) -> None:
    items = tuple(
        AssignmentChange(op=AssignmentOp.CREATE, group=f"g{n % GROUPS + 1}", user=f"u{n * 5 + 1}", role="member")
        for n in range(first, first + size)
    )
    operation = NewOperation(
        tenant_id=tenant_id,
        id=new_operation_id(),
        command=ChangeAssignments(items=items),
        presentation=Presentation(form="bench"),
        fingerprint=b"bench",
    )
    async with database.transaction() as tx:
        await accept_operations(tx, [operation])


async def _fill(url: str, tenant_id: int) -> None:
    connection = await asyncpg.connect(url)
    await add_people(connection, tenant_id, 1_000)
    await add_groups(connection, tenant_id, GROUPS)
    await connection.close()
