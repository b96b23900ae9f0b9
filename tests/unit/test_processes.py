import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from infra.local import leftovers, processes
from infra.local.processes import Command, Record

PATIENCE = timedelta(seconds=20)
OBEDIENT = "import signal, time; print('there', flush=True); signal.pause()"
DEAF = """\
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("there", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def start(tmp_path):
    """Start a Python script and return when it printed its first line."""
    started = []

    def begin(script):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout.readline() == b"there\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def reaped(process):
    """Collect the exit code, as whoever started it would."""
    return process.wait(PATIENCE.total_seconds())


def test_a_living_process_is_recognised_by_its_record(tmp_path, start):
    process = start(OBEDIENT)
    Record.of("worker", process.pid).write(tmp_path / "worker.json")
    assert Record.read(tmp_path / "worker.json").is_alive()


def test_another_process_with_the_same_pid_is_not_mistaken_for_ours(start):
    process = start(OBEDIENT)
    impostor = Record(name="worker", pid=process.pid, started="some other time")
    assert not impostor.is_alive()
    impostor.send(signal.SIGKILL)
    assert process.poll() is None


def test_an_ended_process_has_no_record(start):
    process = start(OBEDIENT)
    process.kill()
    reaped(process)
    assert Record.of("worker", process.pid) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_file_that_is_no_record_is_none(tmp_path, content):
    (tmp_path / "worker.json").write_text(content)
    assert Record.read(tmp_path / "worker.json") is None


def test_what_an_earlier_run_left_is_ended_and_forgotten(tmp_path, start):
    process = start(OBEDIENT)
    Record.of("worker-1", process.pid).write(tmp_path / "worker-1.json")
    said = []
    leftovers.end(tmp_path, say=said.append)
    assert reaped(process) == -signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert "worker-1" in said[0]


def test_a_process_that_does_not_listen_is_killed(tmp_path):
    command = Command(
        name="deaf",
        argv=(sys.executable, "-c", DEAF),
        environment=dict(os.environ),
        log=tmp_path / "deaf.log",
        patience=timedelta(seconds=0.2),
    )
    process = processes.spawn(command)
    while "there" not in command.log.read_text():
        assert process.poll() is None
    processes.stop(process, command)
    assert process.returncode == -signal.SIGKILL


def test_a_process_writes_to_its_log_and_shares_no_session_with_us(tmp_path):
    command = Command(
        name="worker",
        argv=(sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"),
        environment=dict(os.environ),
        log=tmp_path / "log" / "worker.log",
    )
    assert reaped(processes.spawn(command)) == 0
    assert command.log.read_text() == "True\n"
