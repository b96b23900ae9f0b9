"""`./dev bench`: measures the service over HTTP, and what its design decisions rest on, on servers of its own.

Its one rule: the servers are as durable as in production (fsync on); a figure that an error made is never printed.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

import click
import structlog
from rich.console import Console

from infra.local.place import ROOT, Place
from infra.local.server import ServerError
from infra.local.supervisor import StopRequestedError, StopSignals
from tests.benchmarks import (
    dead_letters,
    endings,
    endurance,
    fan_out,
    fence,
    foreign_keys,
    growth,
    idle,
    latency,
    limits,
    lists,
    load,
    machine,
    pages,
    pass_sizes,
    pictures,
    recount,
    relay,
    report,
    seats,
    server,
    side_by_side,
    statements,
    tenants,
    traces,
    transfer,
    write_paths,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.runs import Plan, Servers
from workers.cli.progress import Progress
from workers.cli.testing import PREFIX, own_servers

LOADS = (*load.SCENARIOS, "raw-sql")  # the raw rate stands beside the service's, from the same run
STANDARD = (*LOADS, "statements")
FURTHER = {
    write_paths.SECTION: write_paths.measure,
    foreign_keys.SECTION: foreign_keys.measure,
    pass_sizes.ITEMS: pass_sizes.measure_items,
    pass_sizes.OPERATIONS: pass_sizes.measure_operations,
    relay.SECTION: relay.measure,
    seats.SECTION: seats.measure,
    side_by_side.SECTION: side_by_side.measure,
    fan_out.SECTION: fan_out.measure,
    endings.SECTION: endings.measure,
    recount.SECTION: recount.measure,
    traces.SECTION: traces.measure,
    dead_letters.SECTION: dead_letters.measure,
    pages.SECTION: pages.measure,
    growth.SECTION: growth.measure,
    lists.SECTION: lists.measure,
    tenants.SECTION: tenants.measure,
    latency.SECTION: latency.measure,
    endurance.SECTION: endurance.measure,
    limits.SECTION: limits.measure,
    idle.SECTION: idle.measure,
    transfer.SECTION: transfer.measure,
    fence.SECTION: fence.measure,
}
ROUNDS = 5
WIDTH = 120  # also where the output is not a terminal


@click.command()
@click.option("--quick", is_flag=True, help="One short run of everything: to see that it works, not how fast.")
@click.option("--only", multiple=True, type=click.Choice([*STANDARD, *FURTHER]), help="Only this; repeat for more.")
@click.option("--rounds", type=click.IntRange(1, 50), help=f"How many runs of each (default: {ROUNDS}).")
@click.option("--minutes", type=click.FloatRange(1), default=30, help="How long `endurance` runs (default: 30).")
@click.option("--patient", is_flag=True, help="Repeat runs during which other programs used the machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--write", is_flag=True, help="Put the figures into docs/benchmarks.md, and draw them.")
@click.option("--no-install", is_flag=True, help="Do not install RabbitMQ where it is missing.")
def main(
    only: tuple[str, ...],
    rounds: int | None,
    minutes: float,
    *,
    quick: bool,
    patient: bool,
    as_json: bool,
    write: bool,
    no_install: bool,
) -> None:
    """Measure on servers of its own, as durable as in production."""
    # The engine also runs in this process: its lines must not stand among the figures.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    say, signals = Progress(stream=sys.stderr), StopSignals()
    with signals.installed():
        try:
            with own_servers(install=not no_install, signals=signals, say=say, postgres=server.OPTIONS) as variables:
                plan = Plan(
                    servers=_servers(variables),
                    rounds=rounds or (1 if quick else ROUNDS),
                    quick=quick,
                    patient=patient,
                    say=say,
                    endurance=timedelta(minutes=minutes),
                )
                described, figures = asyncio.run(_until_stopped(plan, only or STANDARD, signals))
        except StopRequestedError:
            sys.exit(130)
        except (ServerError, RuntimeError) as error:
            raise click.ClickException(str(error)) from error
    if write:
        report.write(described, figures)
        _draw(say)
    if as_json:
        click.echo(report.document(described, figures))
    else:
        report.show(Console(width=max(Console().width, WIDTH)), described, figures)


def _draw(say: Progress) -> None:
    try:
        pictures.draw(report.PAGE, say)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


def _servers(variables: Mapping[str, str]) -> Servers:
    return Servers(
        database_url=asyncio.run(server.settle(variables["SEATLINE_TEST_DATABASE_URL"])),
        amqp_url=variables.get("SEATLINE_TEST_AMQP_URL"),
        place=Place(folder=ROOT / ".dev" / f"{PREFIX}{os.getpid()}"),
    )


async def _until_stopped(plan: Plan, names: Sequence[str], signals: StopSignals) -> tuple[dict[str, str], list[Figure]]:
    """The measurement itself; a signal ends it."""
    described = await machine.describe(plan.servers.database_url, plan.servers.amqp_url)
    work = asyncio.create_task(_figures(plan, names))
    while not work.done():
        if signals.count:
            work.cancel()
        await asyncio.wait({work}, timeout=0.2)
    signals.check()
    return described, work.result()


async def _figures(plan: Plan, names: Sequence[str]) -> list[Figure]:
    figures: list[Figure] = []
    loads = [name for name in LOADS if name in names]
    if loads:
        figures += await load.measure(plan, loads)
    if "statements" in names:
        figures += await statements.measure(plan.servers.database_url)
    for name in (name for name in FURTHER if name in names):
        figures += await FURTHER[name](plan)
    return figures


if __name__ == "__main__":
    main(prog_name="seatline bench")
