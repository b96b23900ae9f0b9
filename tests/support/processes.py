"""Real worker processes of a test, killed at its end whatever has become of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
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
