"""`seatline check` and `seatline settings`: what is configured, and what of it answers."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import click
from pydantic_core import PydanticUndefined

from infra.local import probes
from infra.postgres import roles
from infra.postgres.fences import INTAKE, READER
from infra.settings import PREFIX, Settings
from workers.cli.service import settings_or_exit


@click.command()
def check() -> None:
    """Print the settings with passwords masked, then say which server is reached; exit code 1 when one is not."""
    settings = settings_or_exit()
    for name, value in settings.masked().items():
        click.echo(f"{name}={value}")
    failed = False
    for line, reached in _reached(settings):
        click.echo(line)
        failed = failed or not reached
    sys.exit(1 if failed else 0)


def _reached(settings: Settings) -> Iterator[tuple[str, bool]]:
    database = settings.database_url.get_secret_value()
    line, reached = _probe("Postgres", database, lambda: probes.postgres_version(database))
    yield line, reached
    if reached:
        yield _fence(database), True
    if settings.amqp_url is None:
        yield "RabbitMQ: none is configured; workers find work by polling", True
    else:
        broker = settings.amqp_url.get_secret_value()
        yield _probe("RabbitMQ", broker, lambda: probes.rabbitmq_version(broker))


def _fence(database: str) -> str:
    """Whether reads have the second fence; without it everything works, so it fails no check."""
    if asyncio.run(roles.stands(database)):
        return f"Row-level security is on: the API reads as {READER} and accepts as {INTAKE}"
    return f"Row-level security is OFF: this login has no role {READER}. As the server's administrator: {roles.BY_HAND}"


def _probe(name: str, url: str, version: Callable[[], str]) -> tuple[str, bool]:
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    try:
        return f"{name} {version()} is reached at {where}", True
    except Exception as error:  # noqa: BLE001  # every way in which a server cannot be reached is an answer here
        return f"{name} is NOT reached at {where}: {error or type(error).__name__}", False


@click.command()
def settings_table() -> None:
    """Print every setting as a Markdown table, for the README."""
    click.echo(markdown_table())


def markdown_table() -> str:
    """One row for each setting: variable, default, what it is."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, setting in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(setting.default)} | {setting.description} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "(required)"
    if value is None or value == ():
        return ""
    return f"`{value}`"
