"""`top` against a live API: once, as JSON, and in a terminal that somebody leaves with Ctrl-C."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from infra.local.ports import HOST, free_port
from infra.postgres.administration import create_token
from infra.postgres.database import Database
from tests.support.processes import api_process, environment
from tests.support.servers import ROOT
from tests.support.waiting import found

PATIENCE_SECONDS = 60.0
COMMAND = [sys.executable, "-m", "workers.cli", "top"]


@pytest.fixture
async def room(database_url, tmp_path):
    """The variables that lead to a live API, as an operator."""
    database, port = Database(database_url, size=1), free_port()
    issued = await create_token(database, tenant_key=None, scopes=["ops:read"])
    await database.close()
    with api_process(tmp_path / "api.log", port, database_url=database_url):
        async with httpx.AsyncClient() as client:

            async def ready() -> bool:
                try:
                    return (await client.get(f"http://{HOST}:{port}/readyz")).is_success
                except httpx.TransportError:
                    return False

            await found(ready, seconds=PATIENCE_SECONDS)
        yield environment(url=f"http://{HOST}:{port}", admin_token=issued.token)


def run(room, *options, **changed):
    return subprocess.run(
        [*COMMAND, *options],
        env={**room, **changed},
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


async def test_it_shows_the_overview_once_as_text_and_as_json(room):
    once = run(room, "--once")
    assert (once.returncode, once.stderr) == (0, "")
    assert "queued" in once.stdout
    assert "\x1b" not in once.stdout
    document = json.loads(run(room, "--json").stdout)
    assert (document["queue"]["depth"], document["database"]["state"]) == (0, "up")


async def test_what_is_refused_or_not_reached_is_one_line(room):
    for changed, said in (
        ({"SEATLINE_ADMIN_TOKEN": "0" * 64}, "an operator's"),
        ({"SEATLINE_URL": f"http://{HOST}:{free_port()}"}, "no answer from"),
        ({"SEATLINE_URL": ""}, "give --url"),
    ):
        answer = run(room, "--once", **changed)
        assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1), answer.stderr
        assert said in answer.stderr


async def test_in_a_terminal_it_is_drawn_again_and_again_until_ctrl_c(room):
    with in_a_terminal(room) as (process, terminal):
        seen = read_until(terminal, lambda text: text.count("queued") >= 2)
        process.send_signal(signal.SIGINT)
        left = read_until(terminal, lambda text: "\x1b[?1049l" in text)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert "\x1b[?1049h" in seen, "a screen of its own, so that what was there comes back"
    assert "Traceback" not in seen + left


@contextmanager
def in_a_terminal(room):
    terminal, theirs = pty.openpty()
    variables = {**room, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(COMMAND, env=variables, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield process, terminal
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def read_until(terminal, condition):
    text, deadline = "", time.monotonic() + PATIENCE_SECONDS
    while not condition(text):
        assert time.monotonic() < deadline, text
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                text += os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # the other side is gone
                break
    return text
