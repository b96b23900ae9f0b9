"""How many items a pass should take: 16 callers of 100-item batches against workers that differ in nothing else
(docs/adr/0009)."""

from dataclasses import replace

from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.service import Servers, new_tenant, service

SECTION = "pass-sizes"
SIZES = (200, 400, 800, 1_000, 1_600, 5_000)


async def measure(servers: Servers, *, rounds: int, quick: bool) -> list[Figure]:
    """Items a second for each size, in turns; the worker is started anew for each."""
    sheet = Sheet(SECTION)
    load = replace(SCENARIOS["batches"].load, requests=100 if quick else 500, warm_up=50)
    with service(servers) as started:
        await started.ready()
        for number in range(rounds):
            for size in SIZES:
                started.start("worker", "worker", pass_items=str(size))
                token = await new_tenant(started, f"bench-{number}-{size}")
                played = await started.play(token, load)
                started.stop("worker")
                sheet.note(f"at most {size:,} items a pass", load.requests * load.items / played.seconds, "items/s")
    return sheet.figures()
