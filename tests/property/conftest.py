"""One database for all examples of a test; every example has tenants of its own."""

import pytest

from infra.postgres.database import Database


@pytest.fixture
async def database(database_url):
    database = Database(database_url, name="test", size=4)
    yield database
    await database.close()
