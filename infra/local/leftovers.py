"""Ends processes of an earlier run whose supervisor is gone.

Its one rule: only a process whose start time is that of the record is signalled.
"""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from infra.local.processes import Record

PATIENCE = timedelta(seconds=10)


def end(records: Path, *, say: Callable[[str], None]) -> None:
    """End every recorded process that still runs, and forget them all."""
    found = [(path, record) for path in sorted(records.glob("*.json")) if (record := Record.read(path)) is not None]
    alive = [record for _, record in found if record.is_alive()]
    if alive:
        say("ending what an earlier run left: " + ", ".join(record.name for record in alive))
    for record in alive:
        record.send(record.stop_signal)
    for record in alive:
        if not record.wait(PATIENCE):
            record.stop(signal.SIGKILL, PATIENCE)
    for path, _ in found:
        path.unlink(missing_ok=True)
