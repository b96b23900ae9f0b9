"""A private server that runs: its processes as children of ours, started in order and stopped in reverse."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from infra.local import processes
from infra.local.processes import Command, Record
from infra.local.server import Server, ServerError, await_serving

# Another process may take a free port before the server binds it.
STARTS = 3
PATIENCE = timedelta(seconds=90)


def _go_on() -> None:
    """Never give up."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One process we started; `record` is the file that lets a later command recognise it."""

    command: Command
    process: subprocess.Popen[bytes]
    record: Path | None = None

    @classmethod
    def start(cls, command: Command, records: Path | None = None) -> "Child":
        """Start it and, where `records` is given, remember it there."""
        process = processes.spawn(command)
        path = None
        if records is not None:
            path = records / f"{command.name}.json"
            record = Record.of(command.name, process.pid, command.stop_signal)
            if record is not None:
                record.write(path)
        return cls(command=command, process=process, record=path)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def stop(self) -> None:
        """End it; idempotent."""
        processes.stop(self.process, self.command)
        if self.record is not None:
            self.record.unlink(missing_ok=True)

    def ask_to_stop(self) -> None:
        """Send its stop signal and return at once."""
        if not self.has_ended():
            self.process.send_signal(self.command.stop_signal)

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        self.process.kill()
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self.process.send_signal(number)


@dataclass(slots=True, kw_only=True)
class RunningServer:
    """A server and its processes, the serving one last."""

    server: Server
    children: list[Child] = field(default_factory=list)
    records: Path | None = None
    check: Callable[[], None] = _go_on

    def start(self) -> None:
        """Start it and return when it serves; `check` is called while waiting and may raise to give up.

        Raises:
            ServerError: it ended or did not serve in time, on new ports too.
        """
        for attempt in range(1, STARTS + 1):
            commands = self.server.prepare()
            self.children = [Child.start(command, self.records) for command in commands]
            try:
                self._await()
            except ServerError:
                self.stop()
                if attempt == STARTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def _await(self) -> None:
        main = self.children[-1]
        await_serving(
            self.server.probe, self._has_ended_unasked, name=self.server.name, log=main.command.log, patience=PATIENCE
        )
        self.server.settle()

    def _has_ended_unasked(self) -> bool:
        self.check()
        return self.has_ended()

    def has_ended(self) -> bool:
        """Whether any of its processes is gone."""
        return any(child.has_ended() for child in self.children)

    def stop(self) -> None:
        """End its processes, last started first; idempotent."""
        for child in reversed(self.children):
            child.stop()

    def kill(self) -> None:
        """End the serving process at once; `start` brings it back with its data."""
        self.children[-1].kill()
        self.stop()


@contextmanager
def running(server: Server) -> Iterator[RunningServer]:
    """Run a server for as long as the block lasts."""
    started = RunningServer(server=server)
    started.start()
    try:
        yield started
    finally:
        started.stop()
