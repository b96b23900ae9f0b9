"""The Postgres that figures are measured on, made like one that has run for a while beside its clients.

One rule: it is the same for everyone who is measured on it, so it is made so before the first of them begins.
"""

from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import asyncpg

SOCKETS = "."
OPTIONS = {
    # What docs/operations.md asks for large tables: memory that holds their indexes, and enough log between checkpoints
    # that load does not force one in some runs and not in others. It stays as durable as it is by itself.
    "shared_buffers": "4GB",
    "max_wal_size": "8GB",
    # As much of its log as `settle` has made is kept to be written again.
    "min_wal_size": "2GB",
    # A Unix socket in its data directory. Over TCP, even within a machine, large answers wait for congestion control:
    # with BBR one of 233 kB has taken 70 ms every so often, which says nothing of who asked.
    "unix_socket_directories": SOCKETS,
}
# Whoever may not see a setting finds no row of it; SHOW would raise.
_SOCKETS = "SELECT setting FROM pg_settings WHERE name = 'unix_socket_directories'"
_LOG_FILES = 120
_LONGEST_PATH = 107  # of a socket, in bytes: unix(7), `sun_path` without its closing zero


async def settle(url: str) -> str:
    """Make its log files, if it is a server of ours, and return its URL over its socket, or over TCP as it was.

    A server that is new makes a file of 16 MB whenever it has filled one, and everybody's commits wait for that; one
    that has run for a while writes the old ones again.
    """
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(_SOCKETS) != SOCKETS:
            return url
        for _ in range(_LOG_FILES):
            await connection.execute("SELECT pg_logical_emit_message(true, 'bench', 'a file that has something in it')")
            await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
        folder = Path(await connection.fetchval("SHOW data_directory"))
        return over_socket(url, folder)
    finally:
        await connection.close()


def over_socket(url: str, folder: Path) -> str:
    """The URL of the same server over the Unix socket in this folder; as it is where its path is too long for one."""
    parts = urlsplit(url)
    socket = folder / f".s.PGSQL.{parts.port}"
    if len(bytes(socket)) > _LONGEST_PATH:
        return url
    where = urlencode({"host": str(folder), "port": parts.port}, safe="/", quote_via=quote)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@", query=where))
