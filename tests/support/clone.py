"""A copy of this clone with a `.dev/` of its own, so that a test can run `up` beside the person's."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local import accounts, environment_file
from infra.local.place import Place
from infra.local.processes import Record

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
    """Copy what runs into `root`."""
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Clone(root)


def remove(clone: Clone) -> None:
    """Stop everything and remove the copy, wherever its data are."""
    clone.run("down", "--wipe")
    accounts.remove_directory(clone.place.postgres)
    shutil.rmtree(clone.root, ignore_errors=True)


@contextmanager
def own_clone() -> Iterator[Clone]:
    """A copy for one test, removed with all it started."""
    parent = ROOT / ".dev"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"servers-{os.getpid()}-", dir=parent))
    folder.chmod(0o755)
    clone = make(folder / "clone")
    try:
        yield clone
    finally:
        remove(clone)
        shutil.rmtree(folder, ignore_errors=True)
