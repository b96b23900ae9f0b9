"""`seatline events tail`: a tenant's events in a terminal, live, without repetitions and without gaps.

One rule: standard output carries events only; everything else goes to standard error.
"""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click
import structlog
from typing_extensions import override

from domain.events import EventType
from infra.cloudevents import wire_type
from infra.rabbitmq import Subscription
from workers.cli.event_log import EventLog
from workers.cli.event_tail import Event, Tail

_NO_SOURCE = (
    "there is no broker to listen to: SEATLINE_AMQP_URL is not set. "
    "With --after N, SEATLINE_URL and SEATLINE_TOKEN the log is followed over HTTP instead."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    amqp_url: str | None
    prefix: str
    url: str | None
    token: str | None


class _TypeName(click.Choice[str]):
    """The name of a type of event, alone or as events carry it, with `seatline.` and `.v1` around it."""

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value.removeprefix("seatline.").removesuffix(".v1"), param, ctx)


@click.group()
def events() -> None:
    """Show what happens in a tenant."""


@events.command()
@click.option(
    "--type",
    "types",
    multiple=True,
    type=_TypeName([str(item) for item in EventType]),
    help="Only this type; may be repeated.",
)
@click.option("--after", type=click.IntRange(0), help="Begin with the log after this sequence; 0 is all of it.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print each event as one line of JSON, byte for byte as it was sent."
)
@click.option(
    "--tenant", metavar="KEY", default="demo", show_default=True, help="Whose events; the token must be its own."
)
@click.option("--url", envvar="SEATLINE_URL", help="The API, where gaps are filled from.", show_envvar=True)
@click.option("--token", envvar="SEATLINE_TOKEN", help="A token with operations:read.", show_envvar=True)
@click.option("--amqp-url", envvar="SEATLINE_AMQP_URL", help="The broker.", show_envvar=True)
@click.option(
    "--prefix", envvar="SEATLINE_NAME_PREFIX", default="seatline", help="The broker's names begin so.", show_envvar=True
)
def tail(types: tuple[str, ...], after: int | None, tenant: str, *, as_json: bool, **sources: str | None) -> None:
    """Show events live from RabbitMQ; after a lost connection go on where it stopped. Ctrl-C ends it."""
    _quiet()
    where = _Sources(prefix=sources.pop("prefix") or "seatline", **sources)
    asyncio.run(_until_interrupted(_follow(where, types, after, tenant, _as_json if as_json else _as_text)))


async def _follow(
    sources: _Sources, types: tuple[str, ...], after: int | None, tenant: str, show: Callable[[Event], None]
) -> None:
    log = None
    if sources.url and sources.token:
        log = EventLog(url=sources.url, token=sources.token, tenant=tenant, say=_say)
    tailing = Tail(types=[wire_type(item) for item in types], after=after, log=log, show=show, say=_say)
    try:
        if sources.amqp_url is not None:
            await _live(tailing, sources.amqp_url, sources.prefix, [f"{tenant}.{item}" for item in types or ("#",)])
        elif log is not None and after is not None:
            await tailing.poll()
        else:
            raise click.ClickException(_NO_SOURCE)
    finally:
        if log is not None:
            await log.close()


async def _live(tailing: Tail, amqp_url: str, prefix: str, keys: list[str]) -> None:
    subscription = Subscription(url=amqp_url, prefix=prefix, keys=keys, connection_name="events tail")
    await subscription.start()
    try:
        await tailing.follow(subscription)
    finally:
        await subscription.stop()


async def _until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """End without a trace of the interruption: that is how a person leaves."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _as_json(event: Event) -> None:
    click.echo(json.dumps(event, ensure_ascii=False, separators=(",", ":")))


def _as_text(event: Event) -> None:
    short = event["type"].removeprefix("seatline.").rpartition(".")[0]
    detail = event["data"].get("operation", {}).get("status", "")
    line = f"{event['time'][11:23]}  {int(event['sequence']):>8}  {short:<26}  {event['subject']}  {detail}"
    click.echo(line.rstrip())


def _say(text: str) -> None:
    click.echo(f"# {text}", err=True)


def _quiet() -> None:
    """The person is told by `_say`; the log lines of a service would only repeat it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
