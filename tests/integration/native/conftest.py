"""A tenant with people, groups, roles, assignments, operations and events, written straight into the tables."""

import os
from collections.abc import AsyncIterator

import pytest

from infra.postgres import administration
from infra.postgres.database import Database
from tests.support.api import Api, serving


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, name="test", size=4)
    yield database
    await database.close()


@pytest.fixture
async def tenant(database: Database) -> administration.Tenant:
    return await administration.create_tenant(database, key="acme", org="acme-org", name="Acme")


@pytest.fixture
async def stranger(database: Database) -> administration.Tenant:
    return await administration.create_tenant(database, key="stranger", org="stranger-org", name="Stranger")


@pytest.fixture
def settings_environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SEATLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEATLINE_DATABASE_URL", database_url)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """The application and a worker, as the tenant `acme`."""
    async with serving(database_url) as api:
        yield api
