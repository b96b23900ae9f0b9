"""One fault after the other, in an order that the seed decides, each timed until the service has recovered from it.

One rule: every fault strikes once before any strikes twice.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.scene import Scene

RECOVERY_SECONDS = 30.0
# Waited for beyond the limit, so that the report says how long it really took.
_PATIENCE_SECONDS = 90.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 1.0
# A guest has this long, at least, before its host's fault is over.
_GUEST_SECONDS = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault as it happened. `recovered` is None where the service did not, within the patience of the run."""

    name: str
    began: float
    lasted: float
    recovered: float | None
    note: str
    during: str = ""
    unknown: int = 0

    @property
    def problem(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if self.recovered is None:
            return f"{self.name}: not recovered after {_PATIENCE_SECONDS:.0f} s: {self.note}"
        if self.recovered > RECOVERY_SECONDS:
            return f"{self.name}: recovered {self.recovered:.1f} s after its end"
        return ""


def schedule(rng: random.Random, names: Sequence[str]) -> list[Fault]:
    """One round of these faults; a host comes early, while there are guests left."""
    faults = [FAULTS[name] for name in names]
    order = [fault for fault in faults if not fault.is_host]
    rng.shuffle(order)
    for host in (fault for fault in faults if fault.is_host):
        order.insert(rng.randint(0, len(order) // 3), host)
    return order


@dataclass(slots=True, kw_only=True)
class Runner:
    """Lets the faults of a run strike."""

    scene: Scene
    names: Sequence[str]
    say: Callable[[str], None]
    struck: list[Struck] = field(default_factory=list)
    _left: list[Fault] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def run(self, *, seconds: float) -> None:
        """Every fault once, and again until the time is over."""
        self.began, rng = time.monotonic(), self.scene.rng
        self.scene.meanwhile = self._let_guests_strike
        first = True
        while first or time.monotonic() - self.began < seconds:
            self._left = schedule(rng, self.names)
            while self._left and (first or time.monotonic() - self.began < seconds):
                await asyncio.sleep(rng.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE))
                await self._strike(self._left.pop(0))
            first = False

    async def _let_guests_strike(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        host = next(fault.name for fault in FAULTS.values() if fault.is_host)
        while (guest := self._next_guest()) is not None and until - time.monotonic() > _GUEST_SECONDS:
            self._left.remove(guest)
            await self._strike(guest, during=host)
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    def _next_guest(self) -> Fault | None:
        return next((fault for fault in self._left if fault.is_guest), None)

    async def _strike(self, fault: Fault, *, during: str = "") -> None:
        began, unknown = time.monotonic(), self.scene.load.book.fates["unknown"]
        self.say(f"{fault.name} …")
        try:
            note = await fault.strike(self.scene)
        except Exception as error:  # noqa: BLE001 - a fault that cannot strike is a finding like any other
            note = f"could not strike: {error!r}"
            self.scene.failures.append(f"{fault.name} {note}")
        ended = time.monotonic()
        recovered = await self.scene.recovered(ended, limit=_PATIENCE_SECONDS, events=not during)
        if recovered is None:
            note = f"{note}; {self.scene.missing(ended)}"
        struck = Struck(
            name=fault.name,
            began=began - self.began,
            lasted=ended - began,
            recovered=recovered,
            note=note,
            during=during,
            unknown=self.scene.load.book.fates["unknown"] - unknown,
        )
        self.struck.append(struck)
        self.say(f"{fault.name}: {note}; {_told(struck)}")


def _told(struck: Struck) -> str:
    if struck.recovered is None:
        return "NOT RECOVERED"
    return f"recovered in {struck.recovered:.1f} s, {struck.unknown} unknown"
