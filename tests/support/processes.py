"""Real worker processes of a test, killed at its end whatever has become of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.servers import ROOT


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without its own Seatline settings, and with these."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_")}
    return {**plain, "PYTHONPATH": str(ROOT), **{f"SEATLINE_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def worker_process(log: Path, *, fault: str | None = None, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with these settings; `fault` names one of tests.support.faulty_worker."""
    command = ["workers.cli", "worker"] if fault is None else ["tests.support.faulty_worker", fault]
    with _running(log, command, **settings) as process:
        yield process


@contextmanager
def api_process(log: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """An API on this port of 127.0.0.1; it serves a little later."""
    with _running(log, ["workers.cli", "api", "--port", str(port)], **settings) as process:
        yield process


@contextmanager
def _running(log: Path, command: Sequence[str], **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=environment(**settings), stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.wait()
