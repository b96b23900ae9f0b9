"""The commands of a container: `seatline api`, `seatline worker`, `seatline migrate`.

Its one rule: everything they need comes from the settings; they stop within ten seconds of a SIGTERM.
"""

import asyncio
from collections.abc import Awaitable, Callable

import click
import uvicorn

from infra import logging
from infra.measures import Measures
from infra.postgres import migrate as migrations
from infra.postgres import roles
from infra.settings import Settings, SettingsError, load
from infra.tracing.setup import check_packages
from workers.health import health_pages

# A name, because workers do not import the API: uvicorn does.
APPLICATION = "api.process:application"
PROTOCOL = "api.http.connections:BoundedHttpProtocol"
STOP_SECONDS = 8


@click.command()
@click.option("--host", help="Listen here instead of SEATLINE_API_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here instead of SEATLINE_API_PORT.")
def api(host: str | None, port: int | None) -> None:
    """Run one API process; scale by starting more."""
    settings = settings_or_exit(check_packages)
    logging.configure(settings, process="api")
    uvicorn.run(
        APPLICATION,
        factory=True,
        http=PROTOCOL,
        host=host or settings.api_host,
        port=settings.api_port if port is None else port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


@click.command()
def worker() -> None:
    """Run one worker process; scale by starting more."""
    from workers import main as worker_process  # noqa: PLC0415  # only this command needs the engine

    settings = settings_or_exit(check_packages)
    logging.configure(settings, process="worker")
    with asyncio.Runner(loop_factory=_event_loop) as runner:
        runner.run(_with_health_pages(settings, worker_process.run))


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema; safe to run again, and by several at once."""
    settings = settings_or_exit()
    logging.configure(settings, process="migrate")
    url = settings.database_url.get_secret_value()
    asyncio.run(migrations.upgrade(url))
    click.echo("the database has this version's schema")
    if not asyncio.run(roles.stands(url)):
        click.echo(f"row-level security is off; as the server's administrator: {roles.BY_HAND}; then migrate again")


async def _with_health_pages(settings: Settings, run: Callable[[Settings, Measures], Awaitable[None]]) -> None:
    measures = Measures("worker")
    async with health_pages(settings.api_host, settings.worker_health_port, measures):
        await run(settings, measures)


def settings_or_exit(check: Callable[[Settings], None] = lambda _settings: None) -> Settings:
    """The settings, checked further where a process needs that; where unusable, a line for each and exit code 1."""
    try:
        settings = load()
        check(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    return settings


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415  # not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
