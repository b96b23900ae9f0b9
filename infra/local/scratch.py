"""Folders for the servers of a test run: in memory where the machine has room there, else in the clone.

Its one rule: whoever looks finds one below `.dev/`, under a name that says whose it is (`test-PID`, `servers-PID-…`),
so that a run that was killed leaves nothing for good.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import accounts, leftovers
from infra.local.processes import start_mark

MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it get random names
# What the largest test leaves in one server, several times over; a container that is given 64 MB stays on its disk.
ROOM = 4 * 1024**3
_MEMORY_INFO = Path("/proc/meminfo")


def make(path: Path, *, room: int = ROOM) -> Path:
    """Make the folder and say where it is; where memory has this much room `path` becomes a link into it.

    Tests make and remove tens of thousands of files. On a disk that was most of what a run took.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if free_memory() < room:
        path.mkdir()
    else:
        path.symlink_to(tempfile.mkdtemp(prefix="seatline-", dir=MEMORY))
    path.chmod(0o755)
    return path.resolve()


def remove(path: Path) -> None:
    """End what still runs of it, and remove it with all that its servers keep elsewhere."""
    for records in path.rglob("run"):
        leftovers.end(records, say=lambda _text: None)
    for data in path.rglob("postgres"):
        if data.is_symlink():
            accounts.remove_directory(data)
    accounts.remove_directory(path)


def sweep(parent: Path) -> None:
    """Remove what runs that were killed left behind."""
    for path in (*parent.glob("test-*"), *parent.glob("servers-*")):
        pid = path.name.split("-")[1]
        if pid.isdigit() and start_mark(int(pid)) is None:
            remove(path)


def free_memory() -> int:
    """How many bytes can be kept in memory; 0 where nothing can."""
    try:
        status = os.statvfs(MEMORY)
        lines = dict(line.split(":", 1) for line in _MEMORY_INFO.read_text(encoding="ascii").splitlines())
        return min(status.f_bavail * status.f_frsize, int(lines["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError):
        return 0


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """A folder of this process for as long as the block lasts."""
    path = parent / f"servers-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        yield make(path)
    finally:
        remove(path)
