"""`./dev chaos`: faults under load, and then proof that nothing was lost, doubled or oversold.

Its one rule: exit code 1 on any violation, and the seed that repeats it is always printed.
"""

import asyncio
import logging
import random
import sys

import click
import structlog
from rich.console import Console

from infra.local.server import ServerError
from infra.local.supervisor import StopRequestedError, StopSignals
from tests.chaos.faults import FAULTS
from tests.chaos.report import Report
from tests.chaos.run import Order, run
from tests.chaos.servers import Servers, own_servers
from workers.cli.progress import Progress

_WIDTH = 140
_MINUTES = 3.0


@click.command()
@click.option(
    "--minutes", type=click.FloatRange(0.0), default=_MINUTES, show_default=True,
    help="How long faults strike at least; every one strikes once, however short.",
)  # fmt: skip
@click.option("--seed", type=int, help="Repeats a run's requests, faults and their order (default: a random one).")
@click.option("--only", multiple=True, type=click.Choice(list(FAULTS)), help="Only this fault; repeat for more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--write", is_flag=True, help="Put the result into docs/reliability.md.")
@click.option("--no-install", is_flag=True, help="Do not install RabbitMQ where it is missing.")
def main(
    minutes: float, seed: int | None, only: tuple[str, ...], *, as_json: bool, write: bool, no_install: bool
) -> None:
    """Run the service under fire, on servers of its own, and count what became of every call and event."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.ERROR)  # what the client libraries say of faults that are meant
    say, signals = Progress(stream=sys.stderr), StopSignals()
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    command = " ".join(["./dev chaos", f"--minutes {minutes:g}", f"--seed {chosen}", *(f"--only {n}" for n in only)])
    order = Order(seed=chosen, seconds=minutes * 60, names=only or tuple(FAULTS), command=command, say=say)
    with signals.installed():
        try:
            with own_servers(install=not no_install, signals=signals, say=say) as servers:
                report = asyncio.run(_until_stopped(servers, order, signals))
        except StopRequestedError:
            sys.exit(130)
        except (ServerError, RuntimeError) as error:
            raise click.ClickException(str(error)) from error
    if write:
        report.write()
    if as_json:
        click.echo(report.document())
    else:
        report.show(Console(width=max(Console().width, _WIDTH)))
    sys.exit(1 if report.violations else 0)


async def _until_stopped(servers: Servers, order: Order, signals: StopSignals) -> Report:
    """The run itself; a signal ends it."""
    work = asyncio.create_task(run(servers, order))
    while not work.done():
        if signals.count:
            work.cancel()
        await asyncio.wait({work}, timeout=0.2)
    signals.check()
    return work.result()


if __name__ == "__main__":
    main(prog_name="seatline chaos")
