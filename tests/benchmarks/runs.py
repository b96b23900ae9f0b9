"""One run after the other: on which servers, how many, and whether one that was disturbed is done again."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import psutil

from infra.local.place import Place
from tests.benchmarks import processor
from tests.benchmarks.figures import Figure, Sheet

# Of one core. More than this by other programs, and the rates of a run on two cores are no longer those of the service.
_DISTURBED = 0.15
# So many quiet seconds in a row before a run begins.
_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers of this benchmark, and where its processes leave their logs and records."""

    database_url: str
    amqp_url: str | None
    place: Place

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Every process that was started for the benchmark, with its children, by name."""
        found: dict[str, list[psutil.Process]] = {}
        for path in self.place.records.glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            try:
                process = psutil.Process(record["pid"])
                found.setdefault(record["name"], []).extend([process, *process.children(recursive=True)])
            except psutil.NoSuchProcess:
                continue
        return found


Step = Callable[[Sheet], Awaitable[None]]
Settle = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to measure. `quick`: as little as possible. `patient`: a disturbed run does not count and is repeated.

    `endurance` is how long that section runs.
    """

    servers: Servers
    rounds: int
    quick: bool
    patient: bool
    say: Callable[[str], None]
    endurance: timedelta = timedelta(minutes=30)

    async def measure(self, section: str, *steps: Step, settle: Settle | None = None) -> list[Figure]:
        """Take the steps in turns, once a round, and make figures of what they note.

        With `settle` a first round counts for nothing and that is done after it; a quick run has no time for it.
        """
        whole, others = Sheet(section), Sheet(section)
        if settle is not None and not self.quick:
            self.say(f"{section}: a round that does not count")
            for step in steps:
                await self._run(section, Sheet(section), step)
            await settle()
        for number in range(self.rounds):
            self.say(f"{section}: round {number + 1} of {self.rounds}")
            for step in steps:
                whole.take(await self._run(section, others, step))
        whole.take(others)
        return whole.figures()

    async def _run(self, section: str, others: Sheet, step: Callable[[Sheet], Awaitable[None]]) -> Sheet:
        """One step; one that does not count is forgotten, and done again when the machine is quiet."""
        while True:
            if self.patient:
                await self._quiet()
            attempt = Sheet(section)
            before = self._reading()
            await step(attempt)
            used = processor.between(before, self._reading()).others
            if not self.patient or used <= _DISTURBED:
                others.note("cores used meanwhile by other programs", used, "cores")
                return attempt
            self.say(f"other programs used {used:.2f} cores: this run does not count")

    async def _quiet(self) -> None:
        looks = 0
        while looks < _LOOKS:
            before = self._reading()
            await asyncio.sleep(1)
            looks = looks + 1 if processor.between(before, self._reading()).others <= _DISTURBED else 0

    def _reading(self) -> processor.Reading:
        return processor.read(self.servers.processes())
