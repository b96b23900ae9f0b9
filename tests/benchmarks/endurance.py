"""Half an hour at half of what the service can do: whether the API or the worker grows.

One rule: what fills once (pools, caches, prepared statements) is no growth; the first third of the run is left out.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.benchmarks.arithmetic import hourly_growth
from tests.benchmarks.fan_out import MEGABYTE
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.latency import capacity, connections
from tests.benchmarks.paced import play_at
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.subscriber import subscribed
from tests.benchmarks.workload import PAIRS, Load

SECTION = "endurance"
QUICK = timedelta(seconds=6)
# A generator keeps what it measures: each plays so long, then the next takes its place.
SLICE = timedelta(seconds=60)
PROCESSES = ("api", "worker")
# A process of 120 MB that grows by less would take a day to double, and three to reach the 512 MiB that the manifests
# allow it; a leak of a hundred bytes a call would be a multiple of it.
MOST_GROWTH = 5.0
# A little fewer than a tenant has: slices are rounded up.
_PAIRS = PAIRS - 1_000
_LOOKS = 600


@dataclass(slots=True)
class Memory:
    """The memory of each process, in MB, by the seconds since the beginning."""

    samples: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {name: [] for name in PROCESSES})

    def look(self, started: Service, at: float) -> None:
        """One more sample of each; of several processes of a name the largest counts."""
        processes = started.servers.processes()
        for name, samples in self.samples.items():
            samples.append((at, max(process.memory_info().rss for process in processes[name]) / MEGABYTE))

    def note(self, sheet: Sheet) -> None:
        """Where it began, where it ended, the most, and what it grew by in the last two thirds."""
        for name, samples in self.samples.items():
            values = [value for _, value in samples]
            sheet.note(f"memory of the {name} (RSS): at first", values[0], "MB")
            sheet.note(f"memory of the {name} (RSS): in the end", values[-1], "MB")
            sheet.note(f"memory of the {name} (RSS): at most", max(values), "MB")
            growth = hourly_growth(settled(samples))
            sheet.note(f"memory of the {name} (RSS): growth", growth, "MB an hour", under(MOST_GROWTH))


def settled(samples: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The samples of the last two thirds of the time."""
    begin, end = samples[0][0], samples[-1][0]
    return [sample for sample in samples if sample[0] >= begin + (end - begin) / 3]


async def measure(plan: Plan) -> list[Figure]:
    """One run, however many rounds are wanted of others: it is the length that counts."""
    length = QUICK if plan.quick else plan.endurance
    async with AsyncExitStack() as stack:
        started = stack.enter_context(service(plan.servers))
        started.start("worker", "worker")
        await started.ready()
        if plan.servers.amqp_url is not None:
            await stack.enter_async_context(subscribed(plan.servers.amqp_url, started.prefix, keeps=False))

        async def step(sheet: Sheet) -> None:
            rate = await capacity(started, await new_tenant(started, "capacity"), quick=plan.quick) / 2
            calls = round(rate * length.total_seconds())
            tokens = [await new_tenant(started, f"lasting-{number}") for number in range(calls // _PAIRS + 1)]
            running = asyncio.create_task(_play(started, tokens, rate, length))
            memory = await _watched(started, running, length)
            sheet.note("single calls at half of the capacity", rate, "calls/s")
            sheet.note("for", length.total_seconds() / 60, "minutes")
            memory.note(sheet)

        return await replace(plan, rounds=1).measure(SECTION, step)


async def _play(started: Service, tokens: list[str], rate: float, length: timedelta) -> None:
    """One slice after the other; each tenant is given its pairs in their order."""
    left, first = round(rate * length.total_seconds()), 0
    while left > 0:
        requests = min(left, round(rate * SLICE.total_seconds()))
        load = Load(first=first, requests=requests, items=1, callers=connections(rate), warm_up=0)
        await play_at(started, tokens, load, rate=rate)
        left, first = left - requests, first + -(-requests // len(tokens))


async def _watched(started: Service, running: asyncio.Task[None], length: timedelta) -> Memory:
    memory, began = Memory(), time.monotonic()
    while not running.done():
        memory.look(started, time.monotonic() - began)
        await asyncio.wait([running], timeout=length.total_seconds() / _LOOKS)
    await running
    return memory
