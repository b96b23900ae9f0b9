"""What the benchmarks write past the service is what the service would write."""

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from infra.postgres.database import plain_dsn
from infra.postgres.statements import compile_block
from tests.benchmarks import raw_sql, write_paths

SIZE = write_paths.GROUPS
WRITTEN = compile_block("written", "SELECT * FROM group_assignment ORDER BY group_id")
CLEAR = compile_block("clear", "TRUNCATE group_assignment")


@pytest.fixture
async def engine(database_url):
    engine = create_async_engine(plain_dsn(database_url).replace("postgresql://", "postgresql+asyncpg://", 1))
    yield engine
    await engine.dispose()


async def test_the_bare_statements_write(database_server_url):
    assert await raw_sql.rate(database_server_url, transactions=1) > 0


async def test_every_way_writes_the_same_rows(database, engine):
    rows = write_paths.rows_of(0, SIZE)
    for name, write in write_paths.paths(database, engine).items():
        await write(rows)
        assert [dict(row) for row in await database.fetch(WRITTEN)] == rows, name
        async with database.transaction() as tx:
            await tx.execute(CLEAR)
