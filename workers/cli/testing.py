"""`seatline test`: the whole suite, on servers of its own, never on those of `up`.

Its one rule: the servers are gone when it returns, however it ends.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import click

from infra.local import browser, scratch, servers
from infra.local.place import ROOT, Place
from infra.local.postgres import DISPOSABLE
from infra.local.running import RunningServer
from infra.local.server import ServerError
from infra.local.servers import NO_BROKER
from infra.local.state import State
from infra.local.supervisor import StopRequestedError, StopSignals
from workers.cli.progress import Progress

# One more than the cores of a small machine: many tests wait for a server that starts or has been killed.
WORKERS = "3"
PREFIX = "test-"
# How many cases a fuzzed operation gets; what else is set is the person's own and must not leak into tests.
EXAMPLES = "SEATLINE_TEST_EXAMPLES"
DATABASE, BROKER, MANAGEMENT = "SEATLINE_TEST_DATABASE_URL", "SEATLINE_TEST_AMQP_URL", "SEATLINE_TEST_MANAGEMENT_URL"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.option("--no-install", is_flag=True, help="Install neither RabbitMQ nor Chromium where they are missing.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...], *, no_install: bool) -> None:
    """Run the test suite; ARGUMENTS go to pytest."""
    signals = StopSignals()
    say = Progress()
    with signals.installed():
        try:
            program = browser.ensure(install=not no_install, say=say)
            with own_servers(install=not no_install, signals=signals, say=say) as variables:
                if program is not None:
                    variables[browser.VARIABLE] = program
                code = run_pytest(arguments, variables, signals, say)
        except StopRequestedError:
            code = 130
        except (ServerError, RuntimeError) as error:
            raise click.ClickException(str(error)) from error
    sys.exit(code)


@contextmanager
def own_servers(
    *, install: bool, signals: StopSignals, say: Progress, postgres: Mapping[str, str] = DISPOSABLE
) -> Iterator[dict[str, str]]:
    """Servers for this run alone, Postgres with these options; yields the SEATLINE_TEST_ variables that name them."""
    with ExitStack() as stack:
        place = stack.enter_context(own_place(is_durable=postgres is not DISPOSABLE))
        state = State(path=place.state)
        variables = _named_servers()
        if DATABASE not in variables:
            say("starting a Postgres for this run")
            database = servers.private_postgres(place, state, postgres)
            running = RunningServer(server=database, records=place.records, check=signals.check)
            running.start()
            stack.callback(running.stop)  # killed, it would leave shared memory behind
            variables[DATABASE] = database.url
        broker = None if BROKER in variables else servers.private_rabbitmq(place, state, install=install, say=say)
        if broker is not None:
            say("starting a RabbitMQ for this run (about 6 seconds)")
            running = RunningServer(server=broker, records=place.records, check=signals.check)
            running.start()
            stack.callback(running.kill)  # nothing in it is kept, and to say goodbye takes it six seconds
            variables |= {BROKER: broker.url, MANAGEMENT: broker.management_url}
        if BROKER not in variables:
            say(NO_BROKER + "Tests that need the broker will FAIL.\n")
        yield variables


@contextmanager
def own_place(*, is_durable: bool) -> Iterator[Place]:
    """A place of this run alone, gone with whatever still runs there at its end; those of earlier runs go first."""
    scratch.sweep(ROOT / ".dev")
    folder = ROOT / ".dev" / f"{PREFIX}{os.getpid()}"
    # What is to be durable is measured on a disk.
    place = Place(folder=folder if is_durable else scratch.make(folder))
    place.folder.mkdir(parents=True, exist_ok=True)
    try:
        yield place
    finally:
        scratch.remove(folder)


def _named_servers() -> dict[str, str]:
    """Servers that the person gave for tests."""
    return {name: value for name in (DATABASE, BROKER, MANAGEMENT) if (value := os.environ.get(name))}


def run_pytest(arguments: tuple[str, ...], variables: dict[str, str], signals: StopSignals, say: Progress) -> int:
    """Run pytest to its end and return its exit code; a signal is passed on to it."""
    seed = os.environ.get("SEATLINE_TEST_SEED") or str(random.SystemRandom().randrange(2**32))
    parallel = () if {"-n", "-p", "--pdb"} & set(arguments) else ("-n", WORKERS, "--dist", "loadscope")
    command = [sys.executable, "-m", "pytest", f"--hypothesis-seed={seed}", *parallel, *arguments]
    say(f"running pytest; SEATLINE_TEST_SEED={seed} repeats this run's random choices")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_") or name == EXAMPLES}
    environment = {**clean, **variables, "SEATLINE_TEST_SEED": seed, "PYTHONPATH": str(ROOT)}
    # In a session of its own, so that Ctrl-C reaches it once, from here: a second one would cut its clean-up short.
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=bool(parallel)) as process:  # noqa: S603
        passed_on = 0
        while True:
            try:
                return process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                if signals.count > passed_on and parallel:
                    process.send_signal(signal.SIGINT)
                passed_on = signals.count
