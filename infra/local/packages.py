"""Installs RabbitMQ and Chromium from Debian's or Ubuntu's archive, when that is allowed and possible.

Its one rule: no service of the distribution is left running; our own node is private.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "rabbitmq-server"
BROWSER = "chromium"
POLICY = Path("/usr/sbin/policy-rc.d")
DENY_ALL = "#!/bin/sh\nexit 101\n"


class InstallError(Exception):
    """The package could not be installed; the message carries what apt-get printed."""


def can_install() -> bool:
    """Whether this is a machine whose packages we may install: Debian or Ubuntu, as root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_rabbitmq(say: Callable[[str], None]) -> None:
    """Install the package, with its services kept from starting.

    Raises:
        InstallError: apt-get failed.
    """
    say("RabbitMQ is not installed: running apt-get update")
    _apt("update")
    say("running apt-get install rabbitmq-server (about 15 seconds; --no-install would have left it)")
    with _services_held_back():
        _apt("install", "-y", "--no-install-recommends", PACKAGE)
    _stop_services()


def install_chromium(say: Callable[[str], None]) -> None:
    """Install the package: for tests of the console, and for nothing else.

    Raises:
        InstallError: apt-get failed.
    """
    say("Chromium is not installed, and tests of the console run in it: running apt-get update")
    _apt("update")
    say("running apt-get install chromium (half a minute; --no-install would have left it)")
    _apt("install", "-y", "--no-install-recommends", BROWSER)


def _apt(*arguments: str) -> None:
    # Another apt may hold the lock for a while on a fresh machine.
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=quiet
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise InstallError(f"{' '.join(command)} failed:\n{last}")


@contextmanager
def _services_held_back() -> Iterator[None]:
    if POLICY.exists():  # somebody's own policy is not ours to change; services are stopped afterwards
        yield
        return
    POLICY.write_text(DENY_ALL, encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _stop_services() -> None:
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").exists():
        return
    for unit in ("rabbitmq-server.service", "epmd.service", "epmd.socket"):
        subprocess.run(  # noqa: S603
            ["systemctl", "disable", "--now", unit],  # noqa: S607
            capture_output=True,
            check=False,
        )
