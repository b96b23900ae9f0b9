"""What tests of whole services share: a connection of their own, to look with and to write by hand."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from infra.postgres.database import plain_dsn


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(plain_dsn(database_url))
    yield connection
    await connection.close()
