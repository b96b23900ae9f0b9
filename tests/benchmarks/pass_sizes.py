"""How much a pass should take: the same load against workers that differ in one setting (docs/adr/0004 and 0009)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.service import Servers, new_tenant, service
from tests.benchmarks.workload import Load

ITEMS = "pass-sizes"
OPERATIONS = "pass-operations"


async def measure_items(servers: Servers, *, rounds: int, quick: bool) -> list[Figure]:
    """Items a second of 16 callers with batches of 100, by the most items that one pass takes."""
    load = replace(SCENARIOS["batches"].load, requests=100 if quick else 500, warm_up=50)
    sheet = Sheet(ITEMS)
    await _compare(servers, sheet, load, {"pass_items": (200, 400, 800, 1_000, 1_600, 5_000)}, rounds)
    return sheet.figures()


async def measure_operations(servers: Servers, *, rounds: int, quick: bool) -> list[Figure]:
    """Calls a second of 64 callers, by the most operations that one pass takes: 1 is a transaction for each."""
    load = replace(SCENARIOS["callers"].load, requests=400 if quick else 2_000, warm_up=100)
    sheet = Sheet(OPERATIONS)
    await _compare(servers, sheet, load, {"pass_operations": (1, 8, 500)}, rounds)
    return sheet.figures()


async def _compare(
    servers: Servers, sheet: Sheet, load: Load, settings: Mapping[str, Sequence[int]], rounds: int
) -> None:
    what, unit = ("items", "items/s") if load.items > 1 else ("operations", "calls/s")
    with service(servers) as started:
        await started.ready()
        for number in range(rounds):
            for setting, value in ((setting, value) for setting, values in settings.items() for value in values):
                started.start("worker", "worker", **{setting: str(value)})
                token = await new_tenant(started, f"bench-{number}-{value}")
                played = await started.play(token, load)
                started.stop("worker")
                rate = load.requests * load.items / played.seconds
                sheet.note(f"at most {value:,} {what} a pass", rate, unit)
