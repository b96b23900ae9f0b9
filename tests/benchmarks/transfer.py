"""A file of a million people imported, and exported again: rows a second, and the memory of the command.

One rule: the command is a process of its own, as a person runs it.
"""

import asyncio
import contextlib
import csv
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from infra.local.place import ROOT
from infra.postgres import administration
from infra.postgres.database import Database
from tests.benchmarks.fan_out import MEGABYTE
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, service

SECTION = "import"
PEOPLE = 1_000_000
FEW = 10_000


class Ran(NamedTuple):
    """A command that was run: seconds, and its memory at most in MB."""

    seconds: float
    memory: float


async def measure(plan: Plan) -> list[Figure]:
    """A small file and a large one, each into a tenant of its own; then the large one out again."""
    sizes = (FEW // 10, FEW) if plan.quick else (FEW, PEOPLE)
    with service(plan.servers) as started, tempfile.TemporaryDirectory() as folder:
        started.start("worker-1", "worker")
        started.start("worker-2", "worker")
        await started.ready()
        return await plan.measure(
            SECTION, *(partial(_step, started=started, folder=Path(folder), people=people) for people in sizes)
        )


async def _step(sheet: Sheet, started: Service, folder: Path, people: int) -> None:
    file, tenant = folder / "people.csv", await _new_tenant(started)
    _write(file, people)
    taken = await _run(started, "import", "users", str(file), "--tenant", tenant)
    given = await _run(started, "export", "users", str(folder / "out.csv"), "--tenant", tenant)
    (folder / "people.csv.results.csv").unlink()
    sheet.note(f"{people:,} people imported", people / taken.seconds, "rows/s")
    sheet.note(f"{people:,} people imported: memory of the command at most (RSS)", taken.memory, "MB")
    sheet.note(f"{people:,} people exported", people / given.seconds, "rows/s")
    sheet.note(f"{people:,} people exported: memory of the command at most (RSS)", given.memory, "MB")


def _write(file: Path, people: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["key", "username", "email", "first_name", "last_name", "department", "active", "attributes"])
        for n in range(people):
            department, attributes = f"Department {n % 20}", '{"site": "Berlin"}'
            writer.writerow(
                [f"k{n}", f"n{n}", f"n{n}@example.org", "Ada", f"Lovelace {n}", department, "true", attributes]
            )


async def _run(started: Service, *words: str) -> Ran:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_")}
    ours = {"SEATLINE_DATABASE_URL": started.database_url, "SEATLINE_URL": started.url, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "workers.cli", *words,
        env={**clean, **ours}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    ended = asyncio.create_task(process.communicate())
    memory = await _most_memory(process.pid, ended)
    if process.returncode:
        raise RuntimeError(f"seatline {' '.join(words)} ended with {process.returncode}: {ended.result()[1].decode()}")
    return Ran(seconds=time.monotonic() - began, memory=memory)


async def _most_memory(pid: int, ended: asyncio.Task[tuple[bytes, bytes]]) -> float:
    """Looked at while it runs: what the system says at its end counts the memory of who started it, too."""
    most, process = 0, psutil.Process(pid)
    while not ended.done():
        with contextlib.suppress(psutil.NoSuchProcess):
            most = max(most, process.memory_info().rss)
        await asyncio.wait([ended], timeout=0.05)
    return most / MEGABYTE


async def _new_tenant(started: Service) -> str:
    database = Database(started.database_url, size=1)
    try:
        key = f"import-{len(await administration.list_tenants(database, limit=500))}"
        await administration.create_tenant(database, key=key, org="org", name=key)
        return key
    finally:
        await database.close()
