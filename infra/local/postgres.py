"""A private Postgres server: 127.0.0.1 only, a generated password, its own data directory.

Its one rule: it runs as an unprivileged account, and nobody is trusted (scram for every connection).
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg

from infra.local import accounts, probes
from infra.local.accounts import Account
from infra.local.ports import HOST, remembered_port
from infra.local.postgres_programs import Programs
from infra.local.processes import Command, Record, command_line, start_mark
from infra.local.server import ServerError
from infra.local.state import State

USER = "seatline"
DATABASE = "seatline"
# For databases that are thrown away: nothing is worth waiting for a disk.
# Shared segments go into the data directory, because a server that is killed leaves them behind.
DISPOSABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum_naptime": "10s",
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(slots=True, kw_only=True)
class PrivatePostgres:
    """One server below `folder`; `state` remembers its port and password."""

    folder: Path
    logs: Path
    state: State
    programs: Programs
    options: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"

    @property
    def url(self) -> str:
        """Where it serves, with the password."""
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}:{self.state.secret('postgres')}@{HOST}:{self.state.ports['postgres']}/{database}"

    def prepare(self) -> tuple[Command, ...]:
        """Make the data directory on first use, end what a crash left running, choose the port.

        Raises:
            ServerError: initdb failed, or the data belong to another version.
        """
        account = accounts.unprivileged()
        place = accounts.own_directory(self.folder, account)
        data = place / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data, account)
        self._check_version(data)
        _end_leftover(data)
        port = remembered_port(self.state.ports, "postgres")
        self.state.save()
        return (self._command(data, port, account),)

    def recover(self) -> None:
        """Remove what a killed server left behind."""
        _end_leftover(self.folder.resolve() / "data")

    def probe(self) -> None:
        """One query over a connection of its own."""
        probes.postgres_version(self.database_url("postgres"))

    def settle(self) -> None:
        """Create the database on first use."""
        asyncio.run(self._create_database())

    def _command(self, data: Path, port: int, account: Account | None) -> Command:
        options = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            argv=(str(self.programs.folder / "postgres"), "-D", str(data), *flags),
            environment=_bare_environment(),
            log=self.logs / f"{self.name}.log",
            account=account,
            folder=data,
            stop_signal=signal.SIGINT,  # Postgres' fast shutdown: sessions are ended, data are flushed
            patience=timedelta(seconds=20),
        )

    def _initialise(self, data: Path, account: Account | None) -> None:
        password_file = data.parent / "password"
        password_file.write_text(self.state.secret("postgres"), encoding="utf-8")
        if account is not None:
            os.chown(password_file, account.uid, account.gid)
        password_file.chmod(0o600)
        try:
            failures = [self._initdb(data, account, password_file, locale) for locale in self.programs.locales]
        finally:
            password_file.unlink()
        if not (data / "PG_VERSION").exists():
            raise ServerError("initdb failed:\n" + "\n".join(failures))

    def _initdb(self, data: Path, account: Account | None, password_file: Path, locale: tuple[str, ...]) -> str:
        if (data / "PG_VERSION").exists():
            return ""
        done = subprocess.run(  # noqa: S603
            [
                str(self.programs.folder / "initdb"),
                *("-D", str(data), "-U", USER, "-E", "UTF8", "-A", "scram-sha-256", "--no-instructions"),
                *("--no-sync", f"--pwfile={password_file}", *locale),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=_bare_environment(),
            cwd=data.parent,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        return done.stdout.strip() if done.returncode else ""

    def _check_version(self, data: Path) -> None:
        version = int((data / "PG_VERSION").read_text(encoding="utf-8"))
        if version != self.programs.major:
            raise ServerError(
                f"the data are of Postgres {version}, the programs of {self.programs.major}: "
                "./dev down --wipe forgets the data"
            )

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self.database_url("postgres"))
        try:
            known = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE)
            if not known:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()


def _bare_environment() -> dict[str, str]:
    """No PG… variable of the person may redirect a private server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_MESSAGES": "C"}


def _end_leftover(data: Path) -> None:
    """A server of ours that outlived its supervisor is ended; a pid file whose process is somebody else's is removed.

    Without that, Postgres refuses to start for as long as any process has the old pid.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    record = Record.of("postgres", pid)
    if record is not None and str(data) in command_line(pid):
        record.stop(signal.SIGINT, timedelta(seconds=20))
    elif start_mark(pid) is not None:
        pid_file.unlink(missing_ok=True)
