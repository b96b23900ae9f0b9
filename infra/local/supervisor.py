"""Keeps processes running: starts them in order, starts one that ended again with growing pauses, stops all in reverse.

Its one rule: one thread, no callbacks; a signal only sets a flag, which every wait looks at.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from infra.local.processes import Command
from infra.local.running import Child, RunningServer
from infra.local.server import Server, ServerError, log_end

GLANCE = 0.1
PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
# While everything starts, a process that ended so often is not going to start.
HOPELESS_ENDS = 3
# After this long a process has proved itself; its next end starts with the shortest pause again.
PROVED_SECONDS = 30.0


class StopRequestedError(Exception):
    """Somebody asked us to stop while we were starting."""


@dataclass(slots=True)
class StopSignals:
    """Ctrl-C, SIGTERM and SIGHUP as a flag; the second one means: at once."""

    count: int = 0

    def check(self) -> None:
        """Raise where a stop was asked for.

        Raises:
            StopRequestedError: it was.
        """
        if self.count:
            raise StopRequestedError

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Listen to the signals inside the block."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(slots=True, kw_only=True)
class Watched:
    """A process that has to be there; `recover` runs before it is started again."""

    child: Child
    recover: Callable[[], None] | None
    since: float
    ends: int = 0
    again_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """The processes of one `up`, in the order of their start."""

    records: Path
    say: Callable[[str], None]
    signals: StopSignals
    watched: list[Watched] = field(default_factory=list)

    def start_server(self, server: Server) -> None:
        """Start a private server and return when it serves.

        Raises:
            ServerError: it cannot be started.
            StopRequestedError: a signal came meanwhile.
        """
        running = RunningServer(server=server, records=self.records, check=self.signals.check)
        running.start()
        for child in running.children:
            self.watched.append(Watched(child=child, recover=server.recover, since=time.monotonic()))

    def start_process(self, command: Command) -> None:
        """Start a process and return at once."""
        child = Child.start(command, self.records)
        self.watched.append(Watched(child=child, recover=None, since=time.monotonic()))

    def watch(self) -> None:
        """Bring back whatever ends, until a signal comes."""
        while not self.signals.count:
            for watched in self.watched:
                self._look_after(watched)
            time.sleep(GLANCE)

    def look_once(self) -> None:
        """One round of `watch`, for whoever waits for the start to succeed.

        Raises:
            StopRequestedError: a signal came.
            ServerError: a process ended again and again.
        """
        self.signals.check()
        for watched in self.watched:
            self._look_after(watched)
            if watched.ends >= HOPELESS_ENDS:
                command = watched.child.command
                raise ServerError(f"{command.name} cannot be started:\n{log_end(command.log)}")

    def _look_after(self, watched: Watched) -> None:
        now = time.monotonic()
        if watched.again_at is not None:
            if now >= watched.again_at:
                self._start_again(watched)
        elif watched.child.has_ended():
            if now - watched.since > PROVED_SECONDS:
                watched.ends = 0
            pause = PAUSES[min(watched.ends, len(PAUSES) - 1)]
            watched.ends += 1
            watched.again_at = now + pause
            name, code = watched.child.command.name, watched.child.process.returncode
            self.say(f"{name} ended ({_ending(code)}): starting it again in {pause:g} s (see ./dev logs {name})")

    def _start_again(self, watched: Watched) -> None:
        if watched.recover is not None:
            watched.recover()
        watched.child = Child.start(watched.child.command, self.records)
        watched.since = time.monotonic()
        watched.again_at = None

    def stop(self) -> None:
        """End everything, last started first, each kind together; a further signal ends all at once."""
        patience_ends = self.signals.count + 1
        groups = self._stop_order()
        for group in groups:
            names = ", ".join(child.command.name for child in group)
            self.say(f"stopping {names}")
            for child in group:
                child.ask_to_stop()
            self._await_end(group, patience_ends)
        for watched in self.watched:
            watched.child.stop()
        self.watched.clear()

    def _stop_order(self) -> list[list[Child]]:
        """Processes of ours first, then the servers they need; those that have ended are left out."""
        alive = [watched for watched in reversed(self.watched) if not watched.child.has_ended()]
        ours = [watched.child for watched in alive if watched.recover is None]
        servers = [watched.child for watched in alive if watched.recover is not None]
        return [group for group in (ours, servers) if group]

    def _await_end(self, group: list[Child], patience_ends: int) -> None:
        deadline = time.monotonic() + max(child.command.patience for child in group).total_seconds()
        while any(not child.has_ended() for child in group):
            if time.monotonic() > deadline or self.signals.count >= patience_ends + 1:
                for child in group:
                    child.kill()
            time.sleep(GLANCE)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
