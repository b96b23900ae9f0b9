"""`seatline down`: stops what `up` started, and with `--wipe` forgets its data.

Its one rule: the supervisor stops its own processes; only where it is gone are they ended from here.
"""

import shutil
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import click

from infra.local import accounts, leftovers, place
from infra.local.place import Place
from workers.cli.progress import Progress
from workers.cli.up import held, supervisor_record

PATIENCE = timedelta(seconds=60)
GLANCE = 0.1
# What a wipe keeps: tools that were fetched, and the lock of whoever builds the environment.
KEPT = frozenset({"uv", "environment.lock", "uv-cache"})


@click.command()
@click.option("--wipe", is_flag=True, help="Also forget the data, ports and tokens.")
def down(*, wipe: bool) -> None:
    """Stop everything that `up` started."""
    here = place.of_clone()
    say = Progress()
    _end_supervisor(here, say)
    leftovers.end(here.records, say=say)
    here.ready.unlink(missing_ok=True)
    here.environment.unlink(missing_ok=True)
    if wipe:
        say("forgetting the data")
        _wipe(here)
    say("everything is down")


def _end_supervisor(here: Place, say: Callable[[str], None]) -> None:
    """Ask whoever holds the place to stop, also one that has only just begun, and wait until it has."""
    asked: set[int] = set()
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while held(here):
        record = supervisor_record(here)
        if record is not None and record.pid not in asked:
            slow = (here.records / "rabbitmq.json").exists()
            say("stopping everything" + (" (RabbitMQ takes about 6 seconds)" if slow else ""))
            record.send(signal.SIGTERM)
            asked.add(record.pid)
        if time.monotonic() > deadline:
            raise click.ClickException("the supervisor does not stop; see .dev/up.log")
        time.sleep(GLANCE)


def _wipe(here: Place) -> None:
    accounts.remove_directory(here.postgres)
    for path in here.folder.glob("*") if here.folder.exists() else ():
        if path.name in KEPT or path.name.startswith(("test-", "servers-")):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
