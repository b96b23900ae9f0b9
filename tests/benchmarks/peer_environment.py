"""The environment that the peers run in, built from requirements/peers.txt the first time that they are measured.

One rule: it is nobody's `.venv`; whoever does not measure peers does not install them.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.environment import attempt, clean_environment, find_uv, uv_settings
from infra.local.place import ROOT

LOCK = ROOT / "requirements" / "peers.txt"
_BUILT = "built"


def python(say: Callable[[str], None]) -> Path:
    """The peers' Python, with what the lock names.

    Raises:
        RuntimeError: it could not be installed; the message says what the installer said.
    """
    folder = ROOT / ".dev" / f"peers-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    found = folder / "bin" / "python"
    if (folder / _BUILT).exists():
        return found
    say("installing the peers' packages into an environment of their own")
    for command, settings in _commands(folder, found):
        failure = attempt(command, settings)
        if failure is not None:
            raise RuntimeError(f"the peers could not be installed:\n{failure}")
    (folder / _BUILT).touch()
    return found


def _commands(folder: Path, found: Path) -> list[tuple[list[str], dict[str, str]]]:
    uv = find_uv()
    if uv is None:
        return [
            ([sys.executable, "-m", "venv", "--clear", str(folder)], clean_environment()),
            ([str(found), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)], clean_environment()),
        ]
    return [
        ([uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], uv_settings()),
        ([uv, "pip", "sync", "-q", "--require-hashes", "--python", str(found), str(LOCK)], uv_settings()),
    ]
