"""One database for all examples of a test, with a clock that they set; every example has tenants of its own."""

import pytest

from infra.postgres.database import Database
from tests.support.clock import Clock


@pytest.fixture
async def database(database_url):
    before = Database(database_url, name="test", size=1)
    await Clock.set_up(before)
    await before.close()
    database = Database(database_url, name="test", size=4)
    yield database
    await database.close()
