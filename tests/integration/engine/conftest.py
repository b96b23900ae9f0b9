"""A database, a tenant and an intake; each test makes the engines it needs."""

import pytest

from api.intake import Intake
from infra.postgres.database import Database
from infra.settings import Settings
from tests.support.drift import assert_no_drift
from tests.support.engine import Engine, add_tenant


@pytest.fixture
async def database(database_url):
    database = Database(database_url, name="test", size=6)
    yield database
    await database.close()


@pytest.fixture
async def tenant(database, request):
    """At the end everything is recounted, unless the test has a connection of its own to write by hand."""
    yield await add_tenant(database)
    if "sql" not in request.fixturenames:
        await assert_no_drift(database)


@pytest.fixture
async def stranger(database):
    return await add_tenant(database)


@pytest.fixture
def engine(database):
    return Engine(database)


@pytest.fixture
async def intake_with(database, database_url):
    """Start an intake with these settings."""
    started = []

    async def start(**settings):
        intake = Intake(database=database, broker=None, settings=Settings(database_url=database_url, **settings))
        await intake.start()
        started.append(intake)
        return intake

    yield start
    for intake in started:
        await intake.stop()


@pytest.fixture
async def intake(intake_with):
    return await intake_with()
