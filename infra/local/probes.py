"""One real exchange with a server, because an open port proves nothing: RabbitMQ accepts connections before it serves.

Its one rule: every probe is bounded in time.
"""

import asyncio
import socket
import urllib.error
import urllib.request
from http import HTTPStatus
from urllib.parse import urlsplit

import aio_pika
import asyncpg

BOUND_SECONDS = 5.0
AMQP_PORT = 5672


def postgres_version(url: str) -> str:
    """Ask for the server's version by SQL."""

    async def ask() -> str:
        connection = await asyncpg.connect(url, timeout=BOUND_SECONDS)
        try:
            return str(await connection.fetchval("SHOW server_version", timeout=BOUND_SECONDS))
        finally:
            await connection.close(timeout=BOUND_SECONDS)

    return asyncio.run(ask())


def last_sequence(url: str, tenant_key: str) -> int:
    """The number of the tenant's latest event."""

    async def ask() -> int:
        connection = await asyncpg.connect(url, timeout=BOUND_SECONDS)
        try:
            statement = "SELECT event_seq FROM tenant_log JOIN tenant ON tenant.id = tenant_id WHERE key = $1"
            return int(await connection.fetchval(statement, tenant_key) or 0)
        finally:
            await connection.close(timeout=BOUND_SECONDS)

    return asyncio.run(ask())


def workers_seen(url: str) -> dict[str, float]:
    """`{worker's name: seconds since it last said that it lives}`; a worker's name ends in its process id."""

    async def ask() -> dict[str, float]:
        connection = await asyncpg.connect(url, timeout=BOUND_SECONDS)
        try:
            statement = "SELECT name, extract(epoch FROM now() - seen_at)::float8 AS seconds FROM worker"
            rows = await connection.fetch(statement, timeout=BOUND_SECONDS)
            return {row["name"]: row["seconds"] for row in rows}
        finally:
            await connection.close(timeout=BOUND_SECONDS)

    return asyncio.run(ask())


def rabbitmq_version(url: str) -> str:
    """Shake hands over AMQP and open a channel; the server tells its version."""
    address = urlsplit(url)
    # Fails at once and quietly where nobody listens; the client library would log every refusal.
    socket.create_connection((address.hostname or "", address.port or AMQP_PORT), timeout=BOUND_SECONDS).close()

    async def ask() -> str:
        async with asyncio.timeout(BOUND_SECONDS):
            connection = await aio_pika.connect(url, timeout=BOUND_SECONDS)
            try:
                await connection.channel().initialize()
                properties = connection.transport.connection.server_properties  # type: ignore[union-attr]
                version = properties.get("version", "?")
                return version.decode() if isinstance(version, bytes) else str(version)
            finally:
                await connection.close()

    return asyncio.run(ask())


def http_status(url: str) -> int:
    """The status of a GET; 0 when nobody answers."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"not an HTTP URL: {url}")
    try:
        with urllib.request.urlopen(url, timeout=BOUND_SECONDS) as response:  # noqa: S310  # the scheme was checked
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def is_ready(url: str) -> bool:
    """Whether an API answers its readiness route with 200."""
    return http_status(f"{url}/readyz") == HTTPStatus.OK
