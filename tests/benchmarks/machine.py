"""The machine and the versions that figures were measured on: a figure without them says nothing."""

import asyncio
import os
import platform
from importlib.metadata import version
from pathlib import Path

import asyncpg
import psutil

from infra.local import probes

SETTINGS = ("fsync", "synchronous_commit", "shared_buffers", "max_wal_size")
_OVER_TCP = "SELECT inet_server_addr() IS NOT NULL"
PACKAGES = ("asyncpg", "aio-pika", "fastapi", "uvicorn", "uvloop", "httptools", "sqlalchemy", "pydantic")


async def describe(database_url: str, amqp_url: str | None) -> dict[str, str]:
    """What stands above every table of figures."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Postgres": await _postgres(database_url),
        "RabbitMQ": await asyncio.to_thread(probes.rabbitmq_version, amqp_url) if amqp_url else "none",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


async def _postgres(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        number = str(await connection.fetchval("SHOW server_version")).split()[0]
        shown = [f"{name}={await connection.fetchval(f'SHOW {name}')}" for name in SETTINGS]
        way = "TCP" if await connection.fetchval(_OVER_TCP) else "a Unix socket"
        return f"{number} over {way} ({', '.join(shown)})"
    finally:
        await connection.close()
