"""What a private server is to those who start it: files to prepare, processes to run, a way to know that it serves."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from infra.local.processes import Command

GLANCE = 0.1
LAST_LINES = 15


class ServerError(Exception):
    """A private server cannot be started; the message says why and what its log ends with."""


class Server(Protocol):
    """A private server of this machine."""

    @property
    def name(self) -> str:
        """Its word in `status` and `logs`."""

    def prepare(self) -> tuple[Command, ...]:
        """Write what it needs and say what to run, in this order; idempotent, also after a crash."""

    def recover(self) -> None:
        """What has to be done before its processes are started again on the same ports, after a crash."""

    def probe(self) -> None:
        """Do one real exchange with it; raises whatever goes wrong."""

    def settle(self) -> None:
        """What has to be done once after each start, when it serves."""


def await_serving(
    probe: Callable[[], None], has_ended: Callable[[], bool], *, name: str, log: Path, patience: timedelta
) -> None:
    """Probe until it answers.

    Raises:
        ServerError: its process ended, or `patience` ran out.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            probe()
        except Exception as error:  # a server that comes up fails in every way there is
            if has_ended():
                raise ServerError(f"{name} ended while starting:\n{log_end(log)}") from error
            if time.monotonic() > deadline:
                waited = int(patience.total_seconds())
                raise ServerError(f"{name} did not serve within {waited} s ({error!r}):\n{log_end(log)}") from error
            time.sleep(GLANCE)
        else:
            return


def log_end(log: Path) -> str:
    """The last lines of a log file."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"(no log at {log})"
    return "\n".join(lines[-LAST_LINES:])
