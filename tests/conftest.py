"""Fixtures of every test: a database of its own, a broker prefix of its own, on the servers of the run."""

import gc
import os
import uuid
from collections.abc import Iterator

import pytest

from infra.local import databases
from tests.support.order import place_of
from tests.support.servers import NO_BROKER, NO_DATABASE

pytest_plugins = ["tests.support.golden"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, in every process alike."""
    items.sort(key=lambda item: place_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)  # a run in one process has no xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """`--dist loadscope` gives out our own units."""
    from tests.support.scheduling import LongestFirst  # noqa: PLC0415 - as above

    return LongestFirst(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_collection_finish() -> None:
    """What has been imported by now stays to the end: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def database_server_url() -> str:
    """The run's Postgres; tests use `database_url`."""
    url = os.environ.get("SEATLINE_TEST_DATABASE_URL")
    if not url:
        pytest.fail(NO_DATABASE, pytrace=False)
    return url


@pytest.fixture
def database_url(database_server_url: str) -> Iterator[str]:
    """A migrated, empty database for this test alone."""
    url = databases.create(database_server_url)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def amqp_url() -> str:
    """The run's RabbitMQ; whatever a test declares there begins with its `broker_prefix`."""
    url = os.environ.get("SEATLINE_TEST_AMQP_URL")
    if not url:
        pytest.fail(NO_BROKER, pytrace=False)
    return url


@pytest.fixture(scope="session")
def management_url() -> str:
    """The management API of the run's RabbitMQ."""
    url = os.environ.get("SEATLINE_TEST_MANAGEMENT_URL")
    if not url:
        pytest.fail(NO_BROKER, pytrace=False)
    return url


@pytest.fixture
def broker_prefix() -> str:
    """What the names of this test's exchanges and queues begin with."""
    return f"t{uuid.uuid4().hex[:12]}"
