"""What an item costs as the tables grow: the same loads on 10^5, 10^6 and 10^7 assignments of a tenant, in turns.

One rule: whom a load takes next is far away, in every index, from whom it took before.
"""

import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count

import asyncpg

from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.populated import EACH, SPREAD_GROUPS, Populated, populate
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Played, Service, on_database
from tests.benchmarks.workload import Load

SECTION = "growth"
SIZES = (100_000, 1_000_000, 10_000_000)
QUICK = (10_000, 100_000)
MOST_TIMES = 1.3
_STRIDE = 7_919  # a prime that no number of people is a multiple of
_BATCHES = Load(first=0, requests=200, items=100, callers=16, warm_up=20, stride=_STRIDE, held=EACH)
_SINGLES = Load(first=0, requests=200, items=1, callers=1, warm_up=20, stride=_STRIDE, held=EACH)
_LOGGED = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
_SERVERS = frozenset({"postgres", "rabbitmq"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A service on a database of one size."""

    size: int
    service: Service
    populated: Populated


async def measure(plan: Plan) -> list[Figure]:
    """A service for each size; in every round each is given the same loads, and no pair that it was given before."""
    sizes, rounds = (QUICK if plan.quick else SIZES), count()
    async with AsyncExitStack() as stack:
        grown = [await _grown(stack, plan, size) for size in sizes]

        async def step(sheet: Sheet) -> None:
            each = 2 * _pairs(_BATCHES) + _pairs(_first_touch(sizes[-1])) + _pairs(_SINGLES)
            first = next(rounds) * each
            costs = [await _note(sheet, one, first, quick=plan.quick) for one in grown]
            times = costs[-1] / costs[0]
            what = f"the cost of an item at {sizes[-1]:,} over that at {sizes[0]:,}"
            sheet.note(what, times, "times", under(MOST_TIMES))

        figures = await plan.measure(SECTION, step)
        for one in grown:
            plan.say(f"{SECTION}: recounting {one.size:,} assignments")
            one.service.verify()
        return figures


async def _grown(stack: AsyncExitStack, plan: Plan, size: int) -> Grown:
    started = stack.enter_context(on_database(plan.servers, SECTION))
    began = time.monotonic()
    populated = await populate(started.database_url, rows=size)
    plan.say(f"{SECTION}: {size:,} assignments filled in {time.monotonic() - began:.0f} s")
    started.start(f"api-{size}", "api", "--port", str(started.port))
    started.start(f"worker-{size}", "worker")
    await started.ready()
    return Grown(size=size, service=started, populated=populated)


async def _note(sheet: Sheet, grown: Grown, first: int, *, quick: bool) -> float:
    """All loads; the microseconds of processor time that an item of a batch cost between checkpoints."""
    what = f"{grown.size:,} assignments"
    # The first change of a page after a checkpoint logs the whole page. Checkpoints are minutes apart, so each load
    # has both: right after one, which every size pays for, and between two, when most pages have been logged.
    await _asked(grown.service.database_url, "CHECKPOINT")
    await _batches(sheet, grown, first, f"{what}, right after a checkpoint", quick=quick)
    first += _pairs(_BATCHES)
    touch = _first_touch(grown.size)
    await _play(grown, touch, first, quick=quick)
    first += _pairs(touch)
    cost = await _batches(sheet, grown, first, what, quick=quick)
    played = await _play(grown, _SINGLES, first + _pairs(_BATCHES), quick=quick)
    sheet.note(f"{what}: one single call at a time: median", statistics.median(played.latencies) * 1_000, "ms")
    return cost


async def _batches(sheet: Sheet, grown: Grown, first: int, what: str, *, quick: bool) -> float:
    logged = await _asked(grown.service.database_url, _LOGGED)
    played = await _play(grown, _BATCHES, first, quick=quick)
    logged = await _asked(grown.service.database_url, _LOGGED) - logged
    items = _pairs(played.load)
    cost = _seconds(grown, played) / items * 1_000_000
    sheet.note(f"{what}: batches of 100, 16 callers", played.load.requests * 100 / played.seconds, "items/s")
    sheet.note(f"{what}: processor time of an item, all servers", cost, "µs")
    sheet.note(f"{what}: of that, Postgres", played.used["postgres"] / items * 1_000_000, "µs")
    sheet.note(f"{what}: Postgres' log of an item", logged / items / 1_000, "kB")
    return cost


def _first_touch(size: int) -> Load:
    """Items enough to change most pages of every index once: a page has about 200 entries."""
    return replace(_BATCHES, requests=max(1, size // 100 // _BATCHES.items), warm_up=0)


async def _play(grown: Grown, load: Load, first: int, *, quick: bool) -> Played:
    """The load on these people and groups, as far apart as they are."""
    load = replace(load, first=first, people=grown.populated.people, groups=SPREAD_GROUPS)
    if quick:
        load = replace(load, requests=max(1, load.requests // 5))
    return await grown.service.play(grown.populated.token, load=load)


def _pairs(load: Load) -> int:
    return (load.requests + load.warm_up) * load.items


def _seconds(grown: Grown, played: Played) -> float:
    """Of the servers and of this size's own processes; the generator and the others' idling are none of its cost."""
    ours = _SERVERS | {f"api-{grown.size}", f"worker-{grown.size}"}
    return sum(seconds for name, seconds in played.used.items() if name in ours)


async def _asked(url: str, statement: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(statement) or 0)
    finally:
        await connection.close()
