"""Keeps the loops of a process running: one that ends or raises is logged and started again.

One rule: a cancellation that nobody asked for (a lost broker connection raises one) is a failure like any other.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

_PAUSE = 1.0


class Supervisor:
    """Loops by name, each in a task of its own."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run this loop from now on."""
        self._tasks[name] = asyncio.create_task(_kept(name, loop), name=name)

    async def end(self, name: str) -> None:
        """Cancel this loop and wait until it has ended; one that is not running is no error."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def end_all(self) -> None:
        """Cancel all loops and wait until they have ended."""
        for name in list(self._tasks):
            await self.end(name)


async def _kept(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await loop()
            log.error("a loop has ended", loop=name)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            log.exception("a loop was cancelled by nobody", loop=name)
        except Exception:
            log.exception("a loop has failed", loop=name)
        await asyncio.sleep(_PAUSE)
