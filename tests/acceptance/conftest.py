"""One `up` for all acceptance tests that only use it; those that break it make one of their own."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local import scratch
from tests.support import clone as clones
from tests.support.clone import Clone


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A running `up`, shared by all test processes of the run: the first starts it, the last stops it."""
    parent = clones.ROOT / ".dev"
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = parent / f"servers-{run}-up"
    with locked(parent / "acceptance.lock"):
        first = not folder.exists()
        if first:
            scratch.make(folder)
        clone = clones.make(folder / "clone") if first else Clone(folder / "clone")
        (folder / f"user-{os.getpid()}").touch()
    started = clone.run("up", "-d")
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        yield clone
    finally:
        with locked(parent / "acceptance.lock"):
            (folder / f"user-{os.getpid()}").unlink()
            if not list(folder.glob("user-*")):
                clones.end(clone)
                scratch.remove(folder)


@pytest.fixture
def own_clone() -> Iterator[Clone]:
    """A copy of its own, where nothing is up yet."""
    with clones.own_clone() as clone:
        yield clone


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
