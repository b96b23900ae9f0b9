"""The same insert by three ways to Postgres: why the write path is raw asyncpg on SQLAlchemy's pool (docs/adr/0002).

Each transaction inserts one, 100 or 1,000 group assignments (as many as a pass takes). Beside the rate stands
what a row costs this process: Postgres has the other core.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import product

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from infra.local import databases
from infra.postgres.database import Database, plain_dsn
from infra.postgres.directory_tables import group_assignment
from infra.postgres.statements import load
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan

SIZES = (1, 100, 1_000)
GROUPS = 40
SECTION = "write-paths"

Row = Mapping[str, object]
Path = Callable[[Sequence[Row]], Awaitable[None]]

# text() in place of the loader: the same statement, with the casts that it needs.
_TEXT = text(
    """INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources, created_at)
       SELECT tenant_id, group_id, user_id, role_id, coalesce(sources, CAST(:source AS smallint)),
              CAST(:created_at AS timestamptz)
         FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]),
                     CAST(:role_ids AS bigint[]), CAST(:sources AS smallint[]))
              AS planned (tenant_id, group_id, user_id, role_id, sources)"""
)


async def measure(plan: Plan) -> list[Figure]:
    """Rows a second of each way, in turns, on a table that starts empty for each."""
    rows = 5_000 if plan.quick else 100_000
    url = databases.create(plan.servers.database_url)
    engine = create_async_engine(plain_dsn(url).replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=1)
    database = Database(url, size=1)

    async def run(sheet: Sheet, size: int, name: str, path: Path) -> None:
        rate, cpu = await _cost(database, path, size=size, transactions=min(rows // size, 1_000))
        sheet.note(f"{name}, {size:,} rows", rate, "rows/s")
        sheet.note(f"{name}, {size:,} rows: processor", cpu * 1_000_000, "µs a row")

    ways = product(SIZES, paths(database, engine).items())
    try:
        return await plan.measure(
            SECTION, *(partial(run, size=size, name=name, path=path) for size, (name, path) in ways)
        )
    finally:
        await database.close()
        await engine.dispose()
        databases.drop(url)


def paths(database: Database, engine: AsyncEngine) -> dict[str, Path]:
    """Each way by its name."""

    async def raw(rows: Sequence[Row]) -> None:
        async with database.transaction() as tx:
            await tx.execute(load("assignments")["add_assignments"], **_columns(rows))

    async def through_text(rows: Sequence[Row]) -> None:
        async with engine.begin() as connection:
            await connection.execute(_TEXT, _columns(rows))

    async def core(rows: Sequence[Row], *, returning: bool) -> None:
        plain = insert(group_assignment)
        statement = plain.returning(group_assignment.c.user_id) if returning else plain
        async with engine.begin() as connection:
            await connection.execute(statement, list(rows))

    return {
        "raw asyncpg on the pool's connection, unnest": raw,
        "SQLAlchemy text(), unnest": through_text,
        "SQLAlchemy Core, insertmanyvalues with RETURNING": lambda rows: core(rows, returning=True),
        "SQLAlchemy Core, executemany": lambda rows: core(rows, returning=False),
    }


async def _cost(database: Database, path: Path, *, size: int, transactions: int) -> tuple[float, float]:
    """Rows a second, and the seconds of this process's processor that a row takes."""
    async with database.connection() as connection:
        await connection.exec_driver_sql("TRUNCATE group_assignment")
        await connection.commit()
    batches = [rows_of(number, size) for number in range(transactions + 1)]
    await path(batches.pop())  # statements prepared, caches warm
    began, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        await path(batch)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return transactions * size / seconds, cpu / (transactions * size)


def rows_of(number: int, size: int) -> list[Row]:
    """So many new rows, others for each number."""
    at = datetime.now(UTC)
    return [
        {
            "tenant_id": 1,
            "group_id": row % GROUPS,
            "user_id": number * size + row,
            "role_id": 1,
            "sources": 1,
            "created_at": at,
        }
        for row in range(size)
    ]


def _columns(rows: Sequence[Row]) -> dict[str, object]:
    places = {"tenant_ids": "tenant_id", "group_ids": "group_id", "user_ids": "user_id", "role_ids": "role_id"}
    columns: dict[str, object] = {bind: [row[column] for row in rows] for bind, column in places.items()}
    return {**columns, "source": rows[0]["sources"], "sources": [], "created_at": rows[0]["created_at"]}
