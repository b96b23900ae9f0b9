"""One `seatline` process of a chaos run: as it is shipped, with groups that are poison and a wall clock that can jump.

    python -m tests.chaos.process api|worker …

Applying a group whose key begins with `poison-raises` raises; with `poison-dies`, it kills the worker; with
`poison-crashes`, Postgres. At each SIGUSR1 the wall clock of this process jumps to the next of `JUMPS`; with
SEATLINE_CHAOS_CLOCK it begins so many seconds ahead. The clock of the machine, of Postgres and of RabbitMQ stays as it
is: only what this process reads of `time` and `datetime` is shifted.
"""

import datetime as dt
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from tests.support.faulty_worker import struck_by
from workers import main as worker
from workers.cli.main import cli

RAISES, DIES, CRASHES = "poison-raises", "poison-dies", "poison-crashes"
# Past every retention and every expiry, then behind what has been, then right again.
JUMPS = (40 * 86_400.0, -7_200.0, 0.0)
_PACKAGES = ("api", "workers", "infra", "domain", "jwt")


class Clock:
    """The offset of this process from the machine's clock, and whatever asks for the time."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._next = 0
        self._true_time, self._true_time_ns = time.time, time.time_ns

    def jump(self, _number: int, _frame: FrameType | None) -> None:
        """Go on to the next offset."""
        self.shift(JUMPS[self._next % len(JUMPS)])
        self._next += 1

    def shift(self, offset: float) -> None:
        """Be so many seconds ahead from now on."""
        self.offset = offset
        time.time, time.time_ns = self._time, self._time_ns
        self._replace_datetimes()

    def _time(self) -> float:
        return self._true_time() + self.offset

    def _time_ns(self) -> int:
        return self._true_time_ns() + int(self.offset * 1e9)

    def _replace_datetimes(self) -> None:
        """Every module of the product that has imported `datetime` asks the shifted one from now on."""
        shifted = _shifted(self)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in _PACKAGES and getattr(module, "datetime", None) is dt.datetime:
                module.datetime = shifted  # type: ignore[attr-defined]


def _shifted(clock: Clock) -> type[dt.datetime]:
    class AnyInstant(type(dt.datetime)):  # type: ignore[misc]
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, dt.datetime)

    class Shifted(dt.datetime, metaclass=AnyInstant):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.now(tz) + dt.timedelta(seconds=clock.offset)

    return Shifted


def poison_workers() -> None:
    """Let the poisoned groups strike whatever worker this process becomes."""
    shipped = worker.handlers_with

    def handlers_with(*arguments: Any) -> Any:
        raising = struck_by("raises", shipped(*arguments), beginning=RAISES)
        dying = struck_by("dies", raising, beginning=DIES)
        return struck_by("crashes-the-server", dying, beginning=CRASHES)

    worker.handlers_with = handlers_with


if __name__ == "__main__":
    clock = Clock()
    signal.signal(signal.SIGUSR1, clock.jump)
    if offset := os.environ.get("SEATLINE_CHAOS_CLOCK"):
        clock.shift(float(offset))
    poison_workers()
    cli(prog_name="seatline")
