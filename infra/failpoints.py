"""Points at which a process kills itself, so that a test can show what a crash at exactly that place leaves behind.

One rule: none is armed unless SEATLINE_ALLOW_FAILPOINTS says so, which no system in production does.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """Where a process can be made to die: on either side of whatever others are told that something happened."""

    ACCEPT_BEFORE_COMMIT = "accept-before-commit"
    ACCEPT_AFTER_COMMIT = "accept-after-commit"
    PASS_BEFORE_COMMIT = "pass-before-commit"  # noqa: S105 - a pass of a worker
    PASS_AFTER_COMMIT = "pass-after-commit"  # noqa: S105 - a pass of a worker
    PASS_BEFORE_ACK = "pass-before-ack"  # noqa: S105 - a pass of a worker
    CHUNK_BEFORE_COMMIT = "chunk-before-commit"
    CHUNK_AFTER_COMMIT = "chunk-after-commit"
    RELAY_BEFORE_PUBLISH = "relay-before-publish"
    RELAY_AFTER_PUBLISH = "relay-after-publish"
    RELAY_AFTER_MARK = "relay-after-mark"


Reached = Callable[[Failpoint], None]
"""Called wherever a failpoint stands."""


def unarmed(_point: Failpoint) -> None:
    """Go on: what every process does at every point unless a test armed one."""


class Armed:
    """Kills this process, as a power failure would, when it comes to the point for the k-th time."""

    def __init__(self, text: str) -> None:
        name, separator, times = text.partition(":")
        if not separator or name not in set(Failpoint) or not times.isdigit() or int(times) < 1:
            raise ValueError(f"must be NAME:K, K at least 1, and NAME one of {', '.join(Failpoint)}")
        self._point, self._left = Failpoint(name), int(times)

    def __call__(self, point: Failpoint) -> None:
        """Come to a point."""
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def reached(text: str | None) -> Reached:
    """What a process calls at its points: nothing happens there unless `text` arms one.

    Raises:
        ValueError: the text does not name a point and a number.
    """
    return Armed(text) if text else unarmed
