"""How much a pass should take: the same load against workers that differ in one setting (docs/adr/0004 and 0009)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import new_tenant, service
from tests.benchmarks.workload import Load

ITEMS = "pass-sizes"
OPERATIONS = "pass-operations"


async def measure_items(plan: Plan) -> list[Figure]:
    """Items a second of 16 callers with batches of 100, by the most items that one pass takes."""
    load = replace(SCENARIOS["batches"].load, requests=100 if plan.quick else 500, warm_up=50)
    return await _compare(plan, ITEMS, load, "pass_items", (200, 400, 800, 1_000, 1_600, 5_000))


async def measure_operations(plan: Plan) -> list[Figure]:
    """Calls a second of 64 callers, by the most operations that one pass takes: 1 is a transaction for each."""
    load = replace(SCENARIOS["callers"].load, requests=400 if plan.quick else 2_000, warm_up=100)
    return await _compare(plan, OPERATIONS, load, "pass_operations", (1, 8, 500))


async def _compare(plan: Plan, section: str, load: Load, setting: str, values: Sequence[int]) -> list[Figure]:
    what, unit = ("items", "items/s") if load.items > 1 else ("operations", "calls/s")
    tenants = count()
    with service(plan.servers) as started:
        await started.ready()

        async def run(sheet: Sheet, value: int) -> None:
            started.start("worker", "worker", **{setting: str(value)})
            token = await new_tenant(started, f"bench-{next(tenants)}")
            played = await started.play(token, load=load)
            started.stop("worker")
            sheet.note(f"at most {value:,} {what} a pass", load.requests * load.items / played.seconds, unit)

        return await plan.measure(section, *(partial(run, value=value) for value in values))
