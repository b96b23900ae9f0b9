import os
import signal
import sys
import threading

import pytest

from infra.local.processes import Command, Record
from infra.local.server import ServerError
from infra.local.supervisor import StopRequestedError, StopSignals, Supervisor

LASTING = "import signal; signal.pause()"
FAILING = "print('no such setting'); raise SystemExit(3)"


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    supervisor = Supervisor(records=tmp_path / "run", say=said.append, signals=StopSignals())
    yield supervisor
    supervisor.stop()


def command(tmp_path, script, name="worker-1"):
    return Command(
        name=name, argv=(sys.executable, "-c", script), environment=dict(os.environ), log=tmp_path / f"{name}.log"
    )


def look_until(supervisor, happened):
    while not happened():
        supervisor.look_once()


def test_a_killed_process_is_started_again_and_it_is_said(tmp_path, supervisor, said):
    supervisor.start_process(command(tmp_path, LASTING))
    first = supervisor.watched[0].child.process
    first.kill()
    look_until(supervisor, lambda: supervisor.watched[0].child.process is not first)
    assert supervisor.watched[0].child.process.poll() is None
    assert "worker-1 ended (signal SIGKILL): starting it again" in said[0]


def test_the_record_follows_the_new_process(tmp_path, supervisor):
    supervisor.start_process(command(tmp_path, LASTING))
    first = supervisor.watched[0].child.process
    first.kill()
    look_until(supervisor, lambda: supervisor.watched[0].child.process is not first)
    assert Record.read(tmp_path / "run" / "worker-1.json").pid == supervisor.watched[0].child.process.pid


def test_a_process_that_ends_again_and_again_is_given_up_while_starting(tmp_path, supervisor):
    supervisor.start_process(command(tmp_path, FAILING))
    with pytest.raises(ServerError, match="no such setting"):
        look_until(supervisor, lambda: False)


def test_everything_is_stopped_and_forgotten(tmp_path, supervisor, said):
    supervisor.start_process(command(tmp_path, LASTING, "api"))
    supervisor.start_process(command(tmp_path, LASTING, "worker-1"))
    started = [watched.child.process for watched in supervisor.watched]
    supervisor.stop()
    assert [process.returncode for process in started] == [-signal.SIGTERM, -signal.SIGTERM]
    assert list((tmp_path / "run").iterdir()) == []
    assert said == ["stopping worker-1, api"]


def test_a_signal_ends_the_watch(supervisor):
    with supervisor.signals.installed():
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        supervisor.watch()
        timer.join()
    assert supervisor.signals.count == 1


def test_a_signal_while_starting_is_noticed_at_the_next_look(supervisor):
    with supervisor.signals.installed():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StopRequestedError):
            supervisor.look_once()


class NeverServing:
    """A server whose process runs and answers nothing."""

    name = "postgres"

    def __init__(self, command):
        self._command = command

    def prepare(self):
        return (self._command,)

    def recover(self):
        raise AssertionError

    def probe(self):
        raise ConnectionRefusedError

    def settle(self):
        raise AssertionError


def test_a_signal_while_a_server_starts_does_not_wait_for_it_to_serve(tmp_path, supervisor):
    with supervisor.signals.installed():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StopRequestedError):
            supervisor.start_server(NeverServing(command(tmp_path, LASTING, "postgres")))
    assert list((tmp_path / "run").iterdir()) == []


def test_the_signal_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
