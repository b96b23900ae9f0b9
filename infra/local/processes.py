"""Starts, recognises and stops processes of this machine.

Its one rule: a process is only ever signalled when its start time proves that it is the one we started.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from infra.local.accounts import Account

PROC = Path("/proc")
GLANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: `name` is its word in `status` and `logs`."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    account: Account | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: timedelta = field(default=timedelta(seconds=12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A process as remembered in a file: the pid alone may have been given to somebody else since."""

    name: str
    pid: int
    started: str
    stop_signal: signal.Signals = signal.SIGTERM

    @classmethod
    def of(cls, name: str, pid: int, stop_signal: signal.Signals = signal.SIGTERM) -> "Record | None":
        """The record of a living process; None when it has ended already."""
        started = start_mark(pid)
        return None if started is None else cls(name=name, pid=pid, started=started, stop_signal=stop_signal)

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """The record in a file; None where there is none that can be read."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                name=values["name"],
                pid=values["pid"],
                started=values["started"],
                stop_signal=signal.Signals(values["stop_signal"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file's record in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        fresh.replace(path)

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return start_mark(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal the process; one that has ended is no error."""
        if self.is_alive():
            _signal(self.pid, number)

    def stop(self, number: signal.Signals, patience: timedelta) -> None:
        """Ask it to end; kill it when `patience` has run out."""
        self.send(number)
        if not self.wait(patience):
            self.send(signal.SIGKILL)
            self.wait(patience)

    def wait(self, patience: timedelta) -> bool:
        """Wait for its end; False when it still runs after `patience`."""
        deadline = time.monotonic() + patience.total_seconds()
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(GLANCE)
        return True


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, so that a terminal's Ctrl-C reaches only whoever supervises it."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    account = command.account
    with command.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(command.environment),
            cwd=command.folder,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def stop(process: subprocess.Popen[bytes], command: Command) -> None:
    """End a child: politely first; with all of its session when `patience` has run out."""
    if process.poll() is not None:
        return
    _signal(process.pid, command.stop_signal)
    try:
        process.wait(command.patience.total_seconds())
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def start_mark(pid: int) -> str | None:
    """What tells this process from every other that ever had its pid; None when it does not run."""
    if PROC.joinpath("self", "stat").exists():
        try:
            fields = PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        state, *rest = fields.rpartition(")")[2].split()
        return None if state in {"Z", "X"} else f"{_boot()}/{rest[18]}"
    listed = subprocess.run(  # noqa: S603
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def command_line(pid: int) -> str:
    """The words a process was started with; empty when it does not run."""
    if PROC.joinpath("self", "cmdline").exists():
        try:
            return PROC.joinpath(str(pid), "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603
        ["ps", "-ww", "-o", "args=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout


def _boot() -> str:
    try:
        return PROC.joinpath("sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
