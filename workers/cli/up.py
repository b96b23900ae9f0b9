"""`seatline up`: everything on this machine, supervised by this process or, with `-d`, by one in the background.

Its one rule: whoever holds the lock of the place supervises; nobody else starts or stops anything.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from infra.local import leftovers, place
from infra.local.place import ROOT, Place
from infra.local.processes import Record
from infra.local.server import ServerError
from infra.local.state import State
from infra.local.supervisor import StopRequestedError, StopSignals, Supervisor
from workers.cli import overview
from workers.cli.installation import Installation, Wishes
from workers.cli.progress import Progress
from workers.cli.public_api import CallError

SUPERVISOR = "supervisor"
GLANCE = 0.1
LOCK_SECONDS = 0.5
LARGE_LOG = 20 * 1024 * 1024


class AlreadyUpError(Exception):
    """Another process supervises this place."""


@click.command()
@click.option("-d", "--detach", is_flag=True, help="Leave it running in the background; return when it is ready.")
@click.option("--no-install", is_flag=True, help="Do not install RabbitMQ where it is missing.")
@click.option("--api-port", type=click.IntRange(1, 65535), help="The API's port (default: 8000, or the last one).")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="How many workers.")
@click.option("--in-background", is_flag=True, hidden=True)
def up(api_port: int | None, workers: int, *, detach: bool, no_install: bool, in_background: bool) -> None:
    """Start Postgres, RabbitMQ, API and workers, with sample data on the first start."""
    here = place.of_clone()
    here.folder.mkdir(exist_ok=True)
    if held(here):
        sys.exit(_say_already_up(here))
    _forget(here)  # what a killed supervisor left must not look ready
    if detach:
        sys.exit(_detached(here, [argument for argument in sys.argv[1:] if argument not in {"-d", "--detach"}]))
    wishes = Wishes(api_port=api_port, workers=workers, install=not no_install)
    try:
        with _lock(here):
            _supervise(here, wishes, in_background=in_background)
    except AlreadyUpError:
        sys.exit(_say_already_up(here))


def _supervise(here: Place, wishes: Wishes, *, in_background: bool) -> None:
    say = Progress()
    signals = StopSignals()
    supervisor = Supervisor(records=here.records, say=say, signals=signals)
    with signals.installed():
        leftovers.end(here.records, say=say)
        _shorten_logs(here)
        try:
            _remember_supervisor(here)
            Installation(
                place=here, state=State.load(here.state), supervisor=supervisor, wishes=wishes, say=say
            ).bring_up()
            say("everything is up")
            if not in_background:
                overview.show(here)
                click.echo("\nCtrl-C stops everything; ./dev logs -f shows what the processes write.")
            supervisor.watch()
        except StopRequestedError:
            pass
        except (ServerError, CallError, OSError) as error:
            raise click.ClickException(str(error)) from error
        finally:
            here.ready.unlink(missing_ok=True)
            here.environment.unlink(missing_ok=True)
            supervisor.stop()
            (here.records / f"{SUPERVISOR}.json").unlink(missing_ok=True)
            say("stopped")


def _detached(here: Place, arguments: list[str]) -> int:
    """Start the supervisor in the background and show what it says until it is ready."""
    # Appended to, because two that start together share it; each shows what came after it began.
    with (here.folder / "up.log").open("a", encoding="utf-8") as log:
        begin = log.tell()
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "workers.cli", *arguments, "--in-background"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        ready = _follow(here, child, begin)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        return 130
    if not ready:
        return child.returncode
    overview.show(here)
    click.echo("\n./dev down stops everything; ./dev logs -f shows what the processes write.")
    return 0


def _follow(here: Place, child: subprocess.Popen[bytes], begin: int) -> bool:
    with (here.folder / "up.log").open(encoding="utf-8", errors="replace") as log:
        log.seek(begin)
        while child.poll() is None and not here.ready.exists():
            _copy(log)
            time.sleep(GLANCE)
        _copy(log)
    return child.poll() is None


def _copy(log: TextIO) -> None:
    click.echo(log.read(), nl=False)


def _say_already_up(here: Place) -> int:
    record = Record.read(here.records / f"{SUPERVISOR}.json")
    number = f" (process {record.pid})" if record else ""
    if here.ready.exists():
        click.echo(f"it is already up{number}")
    else:
        click.echo(f"another `up` is starting it already{number}; waiting until it is ready")
    while held(here) and not here.ready.exists():
        time.sleep(GLANCE)
    if not here.ready.exists():
        click.echo("the other `up` has ended", err=True)
        return 1
    overview.show(here)
    return 0


@contextmanager
def _lock(here: Place) -> Iterator[None]:
    """Hold the place for as long as the block lasts.

    Raises:
        AlreadyUpError: somebody else holds it.
    """
    with here.lock.open("w") as lock:
        # `held` takes a shared lock for a moment; only who holds on is another `up`.
        deadline = time.monotonic() + LOCK_SECONDS
        while not _locked(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise AlreadyUpError
            time.sleep(GLANCE)
        yield


def held(here: Place) -> bool:
    """Whether somebody supervises the place now."""
    if not here.lock.exists():
        return False
    with here.lock.open() as lock:
        return not _locked(lock, fcntl.LOCK_SH)


def _locked(lock: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remember_supervisor(here: Place) -> None:
    record = Record.of(SUPERVISOR, os.getpid())
    if record is not None:
        record.write(here.records / f"{SUPERVISOR}.json")


def _forget(here: Place) -> None:
    here.ready.unlink(missing_ok=True)
    here.environment.unlink(missing_ok=True)


def _shorten_logs(here: Place) -> None:
    for log in here.logs.glob("*.log"):
        if log.stat().st_size > LARGE_LOG:
            log.replace(log.with_suffix(".log.1"))


def supervisor_record(here: Place) -> Record | None:
    """Who supervises the place, if anybody does."""
    record = Record.read(here.records / f"{SUPERVISOR}.json")
    return record if record is not None and record.is_alive() else None
