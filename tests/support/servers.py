"""Private servers for tests that stop, kill or restart them; every other test shares those of the run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.local import postgres_programs, rabbitmq, scratch
from infra.local.postgres import DISPOSABLE, PrivatePostgres
from infra.local.rabbitmq import PrivateRabbitmq
from infra.local.running import RunningServer, running
from infra.local.state import State

ROOT = Path(__file__).resolve().parents[2]
NO_BROKER = (
    "this test needs RabbitMQ, and there is none: run it by ./dev test, which starts one "
    "(on Debian: apt-get install rabbitmq-server), or set SEATLINE_TEST_AMQP_URL and SEATLINE_TEST_MANAGEMENT_URL"
)
NO_DATABASE = "this test needs Postgres: run it by ./dev test, or set SEATLINE_TEST_DATABASE_URL"


@contextmanager
def private_postgres(options: Mapping[str, str] = DISPOSABLE) -> Iterator[RunningServer]:
    """A Postgres of its own: `.server.url`, `.stop()`, `.kill()`, `.start()` (same port, same data)."""
    with scratch.folder(ROOT / ".dev") as folder:
        server = PrivatePostgres(
            folder=folder / "postgres",
            logs=folder / "log",
            state=State(path=folder / "state.json"),
            programs=postgres_programs.find(),
            options=options,
        )
        with running(server) as started:
            yield started


@contextmanager
def private_rabbitmq() -> Iterator[RunningServer]:
    """A RabbitMQ node of its own: `.server.url`, `.server.management_url`, `.stop()`, `.kill()`, `.start()`."""
    programs = rabbitmq.find()
    if programs is None:
        raise AssertionError(NO_BROKER)
    with scratch.folder(ROOT / ".dev") as folder:
        server = PrivateRabbitmq(
            folder=folder / "rabbitmq", logs=folder / "log", state=State(path=folder / "state.json"), programs=programs
        )
        with running(server) as started:
            yield started
            started.kill()  # to say goodbye takes it six seconds
