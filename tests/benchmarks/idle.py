"""Ten thousand connections that ask nothing: what they cost the API, and whether anybody else notices.

One rule: the API itself lets go of every one of them, or there is no figure.
"""

import asyncio
import resource
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from typing_extensions import override

from api.http.connections import HEAD_SECONDS
from infra.local.ports import HOST
from tests.benchmarks.arithmetic import percentile
from tests.benchmarks.fan_out import MEGABYTE
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.workload import Load

SECTION = "idle-connections"
CONNECTIONS = 10_000
QUICK = 1_000
# Files that a process has open besides.
_SPARE = 500
# At once: fewer than the listener's queue, so that none is refused for that.
_AT_ONCE = 200
_CALLS = Load(first=0, requests=600, items=1, callers=16, warm_up=64)
_MOST_MEMORY = 512
_PATIENCE = HEAD_SECONDS + 20


@dataclass(slots=True, kw_only=True)
class Crowd:
    """The connections: how many are open, and when the last one was closed."""

    open: int = 0
    closed: int = 0
    last_at: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    transports: list[asyncio.BaseTransport] = field(default_factory=list)


class Silent(asyncio.Protocol):
    """A connection that sends nothing."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._crowd.open += 1
        self._crowd.transports.append(transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.open -= 1
        self._crowd.closed += 1
        self._crowd.last_at = time.monotonic()
        self._crowd.changed.set()


async def measure(plan: Plan) -> list[Figure]:
    """Other callers alone, and beside the crowd, once a round."""
    wanted, rounds = (QUICK if plan.quick else CONNECTIONS), count()
    allow_files(wanted + _SPARE)
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()

        async def step(sheet: Sheet) -> None:
            token = await new_tenant(started, f"beside-{next(rounds)}")
            alone = percentile((await started.play(token, load=_CALLS)).latencies, 99) * 1_000
            before, crowd, began = _memory(started), Crowd(), time.monotonic()
            try:
                await _crowd(started, crowd, wanted)
                sheet.note(f"{wanted:,} connections opened in", time.monotonic() - began, "s")
                await _note_beside(sheet, started, token, crowd, alone=alone, before=before)
                await _closed(crowd, wanted)
            finally:
                for transport in crowd.transports:
                    transport.abort()
            sheet.note("all closed by the API, after the first was opened", crowd.last_at - began, "s")

        return await plan.measure(SECTION, step)


def allow_files(wanted: int) -> None:
    """Raise this process's own limit of open files, which the processes that it starts take over.

    Raises:
        RuntimeError: the machine does not allow so many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RuntimeError(f"{wanted:,} open files are needed, but the machine allows a process {hard:,} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _crowd(started: Service, crowd: Crowd, wanted: int) -> None:
    loop = asyncio.get_running_loop()
    for begin in range(0, wanted, _AT_ONCE):
        opening = (
            loop.create_connection(lambda: Silent(crowd), HOST, started.port)
            for _ in range(min(_AT_ONCE, wanted - begin))
        )
        await asyncio.gather(*opening)


async def _note_beside(
    sheet: Sheet, started: Service, token: str, crowd: Crowd, *, alone: float, before: float
) -> None:
    """The same calls once more, of other people; the crowd must outlast them."""
    second = Load(first=1_000, requests=_CALLS.requests, items=1, callers=_CALLS.callers, warm_up=_CALLS.warm_up)
    there = crowd.open
    playing = asyncio.create_task(started.play(token, load=second))
    most = _memory(started)
    while not playing.done():
        await asyncio.wait([playing], timeout=0.1)
        most = max(most, _memory(started))
    beside = percentile((await playing).latencies, 99) * 1_000
    sheet.note("open at once when the other callers begin", there, "connections")
    sheet.note("  and when they end", crowd.open, "connections")
    sheet.note("single calls of 16 other callers, p99: alone", alone, "ms")
    sheet.note("  the same beside the crowd", beside, "ms", under(3 * alone))
    sheet.note("memory of the API (RSS): before", before, "MB")
    sheet.note("  at most beside the crowd", most, "MB", under(_MOST_MEMORY))
    sheet.note("  that is, for a connection", (most - before) * 1_000 / max(there, 1), "kB")


async def _closed(crowd: Crowd, wanted: int) -> None:
    """Wait until the API has let go of all.

    Raises:
        RuntimeError: some are still there.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while crowd.closed < wanted:
                crowd.changed.clear()
                await crowd.changed.wait()
    if crowd.closed < wanted:
        raise RuntimeError(f"{crowd.open} of {wanted} idle connections are still open after {_PATIENCE:.0f} s")


def _memory(started: Service) -> float:
    return max(process.memory_info().rss for process in started.servers.processes()["api"]) / MEGABYTE
