"""The service under load over HTTP: batches, single calls of one, few and many callers; the events are counted."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count

from tests.benchmarks import raw_sql
from tests.benchmarks.arithmetic import percentile
from tests.benchmarks.figures import Figure, Goal, Sheet, at_least, under
from tests.benchmarks.runs import Plan, Servers
from tests.benchmarks.service import Played, Service, new_tenant, service
from tests.benchmarks.subscriber import Subscriber, subscribed
from tests.benchmarks.workload import Load

SECTION = "figures"
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A load and what is noted of it."""

    load: Load
    quick: int
    note: Callable[[Sheet, Played], None]


def _note_batches(sheet: Sheet, played: Played) -> None:
    items = played.load.requests * played.load.items
    sheet.note("batches of 100, 16 callers", items / played.seconds, "items/s", at_least(10_000))
    sheet.note("batches of 100, 16 callers: median answer", _median(played), "ms")
    _note_processor(sheet, played, "an item", "µs", 1_000_000)


def _note_single(sheet: Sheet, played: Played) -> None:
    sheet.note("one single call at a time: median", _median(played), "ms", under(15))
    sheet.note("one single call at a time: p95", _percentile(played, 95), "ms")


def _note_calls(sheet: Sheet, played: Played, goal: Goal | None = None) -> None:
    name = f"single calls, {played.load.callers} callers"
    sheet.note(name, played.load.requests / played.seconds, "calls/s", goal)
    sheet.note(f"{name}: median answer", _median(played), "ms")
    sheet.note(f"{name}: p95", _percentile(played, 95), "ms")


def _note_callers(sheet: Sheet, played: Played) -> None:
    _note_calls(sheet, played, at_least(500))
    _note_processor(sheet, played, "a single call", "ms", 1_000)


def _note_processor(sheet: Sheet, played: Played, what: str, unit: str, scale: float) -> None:
    """The clocks ran during the warm-up as well, so its items count."""
    items = (played.load.warm_up + played.load.requests) * played.load.items
    sheet.note(f"processor time of {what}", sum(played.used.values()) / items * scale, unit)
    for name, seconds in played.used.items():
        sheet.note(f"  of that, {name}, for {what}", seconds / items * scale, unit)


# The pairs of the four do not meet; each run has a tenant of its own.
SCENARIOS = {
    "batches": Scenario(
        load=Load(first=0, requests=1_000, items=100, callers=16, warm_up=100), quick=200, note=_note_batches
    ),
    "single": Scenario(
        load=Load(first=150_000, requests=300, items=1, callers=1, warm_up=30), quick=60, note=_note_single
    ),
    "few-callers": Scenario(
        load=Load(first=152_000, requests=2_000, items=1, callers=16, warm_up=200), quick=400, note=_note_calls
    ),
    "callers": Scenario(
        load=Load(first=160_000, requests=4_000, items=1, callers=64, warm_up=400), quick=800, note=_note_callers
    ),
}


async def measure(plan: Plan, names: Sequence[str]) -> list[Figure]:
    """Every scenario once a round, in turns with the raw SQL rate, so that a slow minute falls on all of them."""
    tenants = count()
    async with AsyncExitStack() as stack:
        started = stack.enter_context(service(plan.servers))
        started.start("worker", "worker")
        await started.ready()
        subscriber = await _subscriber(stack, plan.servers, started)

        async def step(sheet: Sheet) -> None:
            tenant = f"bench-{next(tenants)}"
            token = await new_tenant(started, tenant)
            for name in (name for name in SCENARIOS if name in names):
                await _play(sheet, started, SCENARIOS[name], token, quick=plan.quick)
            if subscriber is not None:
                await _note_events(sheet, started, subscriber, tenant)
            if "raw-sql" in names:
                rate = await raw_sql.rate(plan.servers.database_url, transactions=50 if plan.quick else 500)
                sheet.note(raw_sql.NAME, rate, "rows/s")
            _note_memory(sheet, started)

        return await plan.measure(SECTION, step, settle=started.analyze)


async def _subscriber(stack: AsyncExitStack, servers: Servers, started: Service) -> Subscriber | None:
    if servers.amqp_url is None:
        return None
    return await stack.enter_async_context(subscribed(servers.amqp_url, started.prefix))


async def _play(sheet: Sheet, started: Service, scenario: Scenario, token: str, *, quick: bool) -> None:
    load = scenario.load
    if quick:
        load = replace(load, requests=scenario.quick, warm_up=scenario.quick // 10)
    scenario.note(sheet, await started.play(token, load=load))


async def _note_events(sheet: Sheet, started: Service, subscriber: Subscriber, tenant: str) -> None:
    """Every event that the tenant's log has numbered must have come, in order."""
    numbered = await started.last_sequence(tenant)
    await subscriber.received(tenant, numbered)
    sheet.note("events received by a subscriber, without a gap", subscriber.checked(tenant), "events")


def _note_memory(sheet: Sheet, started: Service) -> None:
    for name, processes in started.servers.processes().items():
        if name in {"api", "worker"}:
            resident = max(process.memory_info().rss for process in processes) / MEGABYTE
            sheet.note(f"memory of the {name} (RSS)", resident, "MB", under(200) if name == "worker" else None)


def _median(played: Played) -> float:
    return statistics.median(played.latencies) * 1_000


def _percentile(played: Played, percent: int) -> float:
    return percentile(played.latencies, percent) * 1_000
