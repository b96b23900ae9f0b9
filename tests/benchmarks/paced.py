"""A load at a fixed rate, whatever the answers: the open generator's order, and what it measured."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from infra.local.place import ROOT
from infra.local.ports import HOST
from tests.benchmarks.arithmetic import percentile
from tests.benchmarks.figures import Goal, Sheet
from tests.benchmarks.service import Service
from tests.benchmarks.workload import Load

_PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """The calls in the order in which they were due: instants by the monotonic clock, and their operations."""

    due: Sequence[float]
    sent: Sequence[float]
    answered: Sequence[float]
    operations: Sequence[str]


async def play_at(started: Service, tokens: Sequence[str], load: Load, *, rate: float) -> Paced:
    """Play the load at so many calls a second; its callers are only how many connections there are to send on.

    Raises:
        RuntimeError: a call was not answered 201: then the figure would not mean what it says.
    """
    order = {"host": HOST, "port": started.port, "tokens": list(tokens), "load": asdict(load), "rate": rate}
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "tests.benchmarks.open_loop",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    output, _ = await generator.communicate(json.dumps(order).encode())
    if generator.returncode:
        raise RuntimeError(f"the load generator ended with {generator.returncode}")
    result = json.loads(output)
    if result.pop("refused"):
        raise RuntimeError("calls were refused, or took longer than the API waits")
    return Paced(**result)


def note_percentiles(sheet: Sheet, name: str, seconds: Sequence[float], *, goal: Goal | None = None) -> None:
    """Half of them, most of them, and the worst, in milliseconds; the goal is that of the 99th percentile."""
    ordered = sorted(seconds)
    for percent in _PERCENTS:
        value = percentile(ordered, percent) * 1_000
        sheet.note(f"{name}: p{percent}", value, "ms", goal if percent == _PERCENTS[-1] else None)
    sheet.note(f"{name}: longest", ordered[-1] * 1_000, "ms")
