"""Environments of their own, for the peers and for the pictures, each built from its lock the first time it is needed.

One rule: they are nobody's `.venv`; whoever measures no peers and draws no pictures installs nothing for them.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.environment import attempt, clean_environment, find_uv, uv_settings
from infra.local.place import ROOT

_BUILT = "built"


def python(name: str, say: Callable[[str], None]) -> Path:
    """The Python that has what requirements/NAME.txt locks.

    Raises:
        RuntimeError: it could not be installed; the message says what the installer said.
    """
    lock = ROOT / "requirements" / f"{name}.txt"
    folder = ROOT / ".dev" / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    found = folder / "bin" / "python"
    if (folder / _BUILT).exists():
        return found
    say(f"installing the packages of {lock.name} into an environment of their own")
    for command, settings in _commands(folder, found, lock):
        failure = attempt(command, settings)
        if failure is not None:
            raise RuntimeError(f"{lock.name} could not be installed:\n{failure}")
    (folder / _BUILT).touch()
    return found


def _commands(folder: Path, found: Path, lock: Path) -> list[tuple[list[str], dict[str, str]]]:
    uv = find_uv()
    if uv is None:
        return [
            ([sys.executable, "-m", "venv", "--clear", str(folder)], clean_environment()),
            ([str(found), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)], clean_environment()),
        ]
    return [
        ([uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], uv_settings()),
        ([uv, "pip", "sync", "-q", "--require-hashes", "--python", str(found), str(lock)], uv_settings()),
    ]
