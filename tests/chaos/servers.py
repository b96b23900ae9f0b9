"""The servers of a chaos run, which are there to be killed, stopped and restarted.

One rule: they are as durable as in production, since what a commit or a confirm has promised is what is being tested.
"""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local import servers
from infra.local.place import Place
from infra.local.running import RunningServer
from infra.local.server import ServerError
from infra.local.state import State
from infra.local.supervisor import StopSignals
from workers.cli.progress import Progress
from workers.cli.testing import own_place

_CONTROL_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """A Postgres and a RabbitMQ of this run alone."""

    postgres: RunningServer
    rabbitmq: RunningServer
    place: Place

    @property
    def database_url(self) -> str:
        """Past every proxy."""
        return str(self.postgres.server.url)  # type: ignore[attr-defined]

    @property
    def amqp_url(self) -> str:
        """Past every proxy."""
        return str(self.rabbitmq.server.url)  # type: ignore[attr-defined]

    async def control_broker(self, *arguments: str) -> None:
        """Run rabbitmqctl on this node, on the loopback address alone.

        Raises:
            RuntimeError: it failed; the message holds what it said.
        """
        broker = self.rabbitmq.children[-1].command
        environment = {
            **broker.environment,
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        process = await asyncio.create_subprocess_exec(
            str(_control_program(Path(broker.argv[0]))), "-q", *arguments,
            env=environment, cwd=broker.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), _CONTROL_SECONDS)
        if process.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {output.decode()}")


@contextmanager
def own_servers(*, install: bool, signals: StopSignals, say: Progress) -> Iterator[Servers]:
    """Start both; they and their data are gone at the block's end.

    Raises:
        ServerError: one cannot be started.
        StopRequestedError: a signal came meanwhile.
    """
    with ExitStack() as stack:
        place = stack.enter_context(own_place(is_durable=True))
        state = State(path=place.state)
        say("starting a Postgres for this run")
        postgres = _run(stack, servers.private_postgres(place, state), place, signals)
        broker = servers.private_rabbitmq(place, state, install=install, say=say)
        if broker is None:
            raise ServerError(
                "chaos needs RabbitMQ, which is not installed (on Debian: apt-get install rabbitmq-server)"
            )
        say("starting a RabbitMQ for this run (about 6 seconds)")
        rabbitmq = _run(stack, broker, place, signals)
        yield Servers(postgres=postgres, rabbitmq=rabbitmq, place=place)


def freeze(server: RunningServer) -> None:
    """SIGSTOP the serving process and all its children: it keeps its connections and says nothing."""
    _send_all(server, signal.SIGSTOP)


def thaw(server: RunningServer) -> None:
    """SIGCONT them again; one that is not stopped is no error."""
    _send_all(server, signal.SIGCONT)


def _run(stack: ExitStack, server: object, place: Place, signals: StopSignals) -> RunningServer:
    running = RunningServer(server=server, records=place.records, check=signals.check)  # type: ignore[arg-type]
    running.start()
    stack.callback(_end, running)
    return running


def _end(running: RunningServer) -> None:
    thaw(running)
    running.kill()


def _send_all(server: RunningServer, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        main = psutil.Process(server.children[-1].process.pid)
        for process in (main, *main.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _control_program(server: Path) -> Path:
    """rabbitmqctl stands beside the start script, under the name that changes no user."""
    return server.with_name("rabbitmqctl")
