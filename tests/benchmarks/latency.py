"""From a call to its event: single calls at a fixed rate, half of what the service can do, and one subscriber.

One rule: the clock of a call starts when it was due, and stops when the subscriber has all of the operation's events.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count

from tests.benchmarks import processor
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.paced import Paced, note_percentiles, play_at
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.subscriber import Subscriber, subscribed
from tests.benchmarks.workload import Load

SECTION = "latency"
SECONDS = 30
QUICK_SECONDS = 3
WARM_UP_SECONDS = 2
CAPACITY = Load(first=0, requests=4_000, items=1, callers=64, warm_up=400)
_FIRST = 10_000  # of the pairs beyond those of the measurement of the capacity
_ANSWER, _EVENT = under(100), under(250)


async def measure(plan: Plan) -> list[Figure]:
    """The capacity, then half of it, once a round, each for a tenant of its own.

    Raises:
        RuntimeError: there is no broker.
    """
    if plan.servers.amqp_url is None:
        raise RuntimeError("events are received from a broker")
    seconds, rounds = (QUICK_SECONDS if plan.quick else SECONDS), count()
    async with AsyncExitStack() as stack:
        started = stack.enter_context(service(plan.servers))
        started.start("worker", "worker")
        await started.ready()
        subscriber = await stack.enter_async_context(subscribed(plan.servers.amqp_url, started.prefix))

        async def step(sheet: Sheet) -> None:
            tenant = f"paced-{next(rounds)}"
            token = await new_tenant(started, tenant)
            rate = await capacity(started, token, quick=plan.quick) / 2
            sheet.note("capacity: single calls, 64 callers", 2 * rate, "calls/s")
            before = processor.read(plan.servers.processes())
            played = await play_at(started, [token], _load(rate, seconds), rate=rate)
            used = processor.between(before, processor.read(plan.servers.processes())).ours
            await _note(sheet, started, subscriber, tenant, played)
            cores = sum(used.values()) / (seconds + WARM_UP_SECONDS)
            sheet.note("cores used meanwhile by everything measured here", cores, "cores")

        return await plan.measure(SECTION, step)


async def capacity(started: Service, token: str, *, quick: bool) -> float:
    """Single calls a second of 64 callers who do wait for their answers."""
    load = replace(CAPACITY, requests=600, warm_up=100) if quick else CAPACITY
    return load.requests / (await started.play(token, load=load)).seconds


def connections(rate: float) -> int:
    """Enough that none is waited for, and each in use at least once a second: the API closes what is idle."""
    return max(8, min(256, round(rate)))


def _load(rate: float, seconds: float) -> Load:
    warm_up = round(rate * WARM_UP_SECONDS)
    return Load(first=_FIRST, requests=round(rate * seconds), items=1, callers=connections(rate), warm_up=warm_up)


async def _note(sheet: Sheet, started: Service, subscriber: Subscriber, tenant: str, played: Paced) -> None:
    await subscriber.received(tenant, await started.last_sequence(tenant))
    told_at = subscriber.told_at(tenant)
    subscriber.checked(tenant)
    sheet.note("calls due", len(played.due) / (played.due[-1] - played.due[0]), "calls/s")
    note_percentiles(sheet, "sent after it was due", _since_due(played, played.sent))
    note_percentiles(sheet, "answered after it was due", _since_due(played, played.answered), goal=_ANSWER)
    told = [told_at[operation] for operation in played.operations]
    note_percentiles(sheet, "its events received after it was due", _since_due(played, told), goal=_EVENT)


def _since_due(played: Paced, instants: Sequence[float]) -> list[float]:
    return [instant - due for due, instant in zip(played.due, instants, strict=True)]
