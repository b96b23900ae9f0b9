"""Throw-away databases for tests, each a copy of one that was migrated once.

Its one rule: the template is made under an advisory lock, so that any number of test processes share it.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from infra.postgres import migrate

T = TypeVar("T")
LOCK = 7_238_114_025
MIGRATIONS = Path(migrate.__file__).parent / "migrations"


def create(server_url: str) -> str:
    """Make a migrated database on the server and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    _run(_create(server_url, name))
    return with_database(server_url, name)


def drop(url: str) -> None:
    """Remove a database, its sessions too."""
    name = urlsplit(url).path.lstrip("/")
    _run(_execute(with_database(url, "postgres"), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def with_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _create(server_url: str, name: str) -> None:
    connection = await asyncpg.connect(with_database(server_url, "postgres"))
    try:
        template = f"template_{_fingerprint()}"
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        try:
            ready = await connection.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", template)
            if not ready:
                await connection.execute(f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')
                await connection.execute(f'CREATE DATABASE "{template}"')
                await migrate.upgrade(with_database(server_url, template))
                await connection.execute(f'ALTER DATABASE "{template}" IS_TEMPLATE true')
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        # By files: without fsync that takes half the time of the default, which logs every page.
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _fingerprint() -> str:
    files = sorted(path for path in MIGRATIONS.rglob("*") if path.suffix in {".py", ".sql"})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own, wherever the caller is; a test's loop stays as it is."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
