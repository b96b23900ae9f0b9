"""How long this process was away from its own event loop: what occupies or stops a worker shows here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BEAT_SECONDS = 0.25


class Pulse:
    """Beats on the event loop, and remembers the longest time between two beats since it began anew."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._longest = 0.0

    def begin(self) -> None:
        """Forget what was before, and beat."""
        self._last, self._longest = asyncio.get_running_loop().time(), 0.0

    def beat(self) -> None:
        """The loop is here."""
        self._longest, self._last = self.longest_absence, asyncio.get_running_loop().time()

    @property
    def longest_absence(self) -> float:
        """Seconds, up to now."""
        if self._last is None:
            return self._longest
        return max(self._longest, asyncio.get_running_loop().time() - self._last)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat four times a second meanwhile."""
        beats = asyncio.create_task(self._beats())
        try:
            yield
        finally:
            beats.cancel()
            await asyncio.wait([beats])

    async def _beats(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(_BEAT_SECONDS)
