"""A copy of this clone with a `.dev/` of its own, so that a test can run `up` beside the person's."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from infra.local import environment_file, scratch
from infra.local.place import Place
from infra.local.processes import Record
from workers.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("api", "domain", "infra", "workers")
UP_SECONDS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Curl:
    """What a printed curl line sends."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None

    @classmethod
    def parse(cls, line: str) -> "Curl":
        """Read a line as a shell would; an option it does not know fails."""
        program, *words = shlex.split(line)
        assert program == "curl"
        method, url, headers, body = "GET", "", {}, None
        while words:
            word = words.pop(0)
            match word:
                case "-sS":
                    continue
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    body = words.pop(0)
                case _:
                    assert word.startswith("http://")
                    url = word
        return cls(method=method, url=url, headers=headers, body=body)


class Clone:
    """The command line of a copy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = Place(folder=root / ".dev")
        # What the person has set.
        self.settings: dict[str, str] = {}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "workers.cli", *words],
            cwd=self.root,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=UP_SECONDS,
        )

    def call(self, *words: str) -> Result:
        """Run a command to its end in this process, on the servers of the copy: what it does, not how it starts.

        A process of its own takes a second to import what this one has.
        """
        return CliRunner().invoke(cli, words, env={**self.env(), **self.settings})

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "workers.cli", *words],
            cwd=self.root,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def variables(self) -> dict[str, str]:
        """The environment of its commands: none of this run's servers leak into it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_")}
        return {**ours, **self.settings, "PYTHONPATH": str(self.root), "COLUMNS": "200"}

    def env(self) -> dict[str, str]:
        """The values of `.dev/env`."""
        return environment_file.read(self.place.environment)

    def status(self) -> dict[str, bool]:
        """`{part: whether it is up}`."""
        told = json.loads(self.run("status", "--json").stdout)
        return {part["name"]: part["up"] for part in told["parts"]}

    def process(self, name: str) -> Record:
        """The record of one of its processes."""
        record = Record.read(self.place.records / f"{name}.json")
        assert record is not None, f"{name} does not run"
        return record

    def printed_curls(self, output: str) -> list[Curl]:
        """The curl lines in what a command printed."""
        return [Curl.parse(line) for line in output.splitlines() if line.startswith("curl ")]


def make(root: Path) -> Clone:
    """Copy what runs into `root`, compiled as it is: otherwise each process of the copy compiles all of it anew."""
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name)
    return Clone(root)


def end(clone: Clone) -> None:
    """End everything at once: nothing of it is kept, so there is nothing to say goodbye to.

    Who supervises comes first, so that nothing is started again; a killed Postgres would leave shared memory behind.
    """
    records = filter(None, (Record.read(path) for path in clone.place.records.glob("*.json")))
    for record in sorted(records, key=lambda record: record.name != "supervisor"):
        number = record.stop_signal if record.name == "postgres" else signal.SIGKILL
        record.stop(number, timedelta(seconds=10))


@contextmanager
def own_clone() -> Iterator[Clone]:
    """A copy for one test, removed with all it started."""
    with scratch.folder(ROOT / ".dev") as folder:
        clone = make(folder / "clone")
        try:
            yield clone
        finally:
            end(clone)
