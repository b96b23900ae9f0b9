"""Seatline beside what users would otherwise pick: the same calls by the same generator, in turns, in one run.

The peers check no token, keep no operation, know no Idempotency-Key and announce nothing; Seatline does all of that.
"""

import statistics
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count

from tests.benchmarks import own_environment
from tests.benchmarks.figures import Figure, Goal, Sheet, at_least, under
from tests.benchmarks.peer_services import KINDS, checked, emptied, peer
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Played, Service, new_tenant, service
from tests.benchmarks.workload import Load

SECTION = "peers"
SEATLINE = "Seatline"
TITLES = {
    "celery": "(a) Celery, read together",
    "celery-each": "(a) Celery, item by item",
    "faststream": "(b) FastStream",
    "direct": "(c) no queue",
}
# The pairs of the three loads do not meet.
BATCHES = Load(first=0, requests=400, items=100, callers=16, warm_up=40)
CALLERS = Load(first=100_000, requests=2_000, items=1, callers=64, warm_up=200)
SINGLE = Load(first=110_000, requests=200, items=1, callers=1, warm_up=20)
# Of the peers' batches: as many as take some seconds.
PART = {"celery": 0.5, "celery-each": 0.15, "faststream": 0.5, "direct": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What Seatline is compared by: its figure over the peer's."""

    peer: str
    what: str
    goal: Goal | None


RATIOS = (
    Ratio(peer="celery", what="batches", goal=at_least(20)),
    Ratio(peer="celery-each", what="batches", goal=None),
    Ratio(peer="faststream", what="batches", goal=None),
    Ratio(peer="direct", what="batches", goal=at_least(5)),
    Ratio(peer="direct", what="callers", goal=at_least(1)),
    Ratio(peer="direct", what="single", goal=under(3)),
)
WORDS = {
    "batches": "batches of 100, 16 callers: Seatline's rate over that of",
    "callers": "single calls, 64 callers: Seatline's rate over that of",
    "single": "one single call at a time: Seatline's median over that of",
}


async def measure(plan: Plan) -> list[Figure]:
    """Every service once a round, all on the same servers; ratios are made within a round."""
    python = own_environment.python("peers", plan.say)
    tenants = count()
    async with AsyncExitStack() as stack:
        ours = stack.enter_context(service(plan.servers))
        ours.start("worker", "worker")
        await ours.ready()
        others = {
            name: await stack.enter_async_context(peer(plan.servers, kind, python)) for name, kind in KINDS.items()
        }

        async def step(sheet: Sheet) -> None:
            token = await new_tenant(ours, f"peers-{next(tenants)}")
            measured = {SEATLINE: await _round(sheet, SEATLINE, ours, token, quick=plan.quick)}
            for name, started in others.items():
                await emptied(started)
                measured[name] = await _round(sheet, name, started, "none", quick=plan.quick)
            for ratio in RATIOS:
                value = measured[SEATLINE][ratio.what] / measured[ratio.peer][ratio.what]
                sheet.note(f"{WORDS[ratio.what]} {TITLES[ratio.peer]}", value, "times", ratio.goal)

        async def settle() -> None:
            for started in (ours, *others.values()):
                await started.analyze()

        return await plan.measure(SECTION, step, settle=settle)


async def _round(sheet: Sheet, name: str, started: Service, token: str, *, quick: bool) -> Mapping[str, float]:
    """The loads of one service; what it is compared by."""
    title, given = TITLES.get(name, SEATLINE), 0
    found: dict[str, float] = {}
    for what, load in _loads(name, quick=quick).items():
        played = await _played(started, token, load, title)
        given += (load.requests + load.warm_up) * load.items
        found[what] = _figure(what, played)
        _note(sheet, title, what, played, found[what])
    if name != SEATLINE:
        await checked(started, given=given)
    return found


async def _played(started: Service, token: str, load: Load, title: str) -> Played:
    """The load; where it fails, whose service it was and what that has said."""
    try:
        return await started.play(token, load=load)
    except RuntimeError as error:
        logs = (child.command.log.read_text(encoding="utf-8")[-2_000:] for child in started.children)
        raise RuntimeError(f"{title}: {error}\n" + "\n".join(logs)) from error


def _loads(name: str, *, quick: bool) -> dict[str, Load]:
    part = PART.get(name, 1.0) * (0.1 if quick else 1.0)
    loads = {"batches": _cut(BATCHES, part)}
    if name in {SEATLINE, "direct"}:
        loads |= {what: _cut(load, 0.1 if quick else 1.0) for what, load in (("callers", CALLERS), ("single", SINGLE))}
    return loads


def _cut(load: Load, part: float) -> Load:
    requests = max(load.callers, round(load.requests * part))
    return replace(load, requests=requests, warm_up=max(load.callers, round(load.warm_up * part)))


def _figure(what: str, played: Played) -> float:
    if what == "single":
        return statistics.median(played.latencies) * 1_000
    return played.load.requests * played.load.items / played.seconds


def _note(sheet: Sheet, title: str, what: str, played: Played, value: float) -> None:
    if what == "single":
        sheet.note(f"one single call at a time: {title}", value, "ms")
        return
    name, unit = (
        ("batches of 100, 16 callers", "items/s") if what == "batches" else ("single calls, 64 callers", "calls/s")
    )
    sheet.note(f"{name}: {title}", value, unit)
    sheet.note(f"{name}: {title}: median answer", statistics.median(played.latencies) * 1_000, "ms")
