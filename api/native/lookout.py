"""Looks at something again and again while anybody watches it: one loop for the process, however many watch.

One rule: nobody looks while nobody watches, and what cannot be seen for a moment ends nothing.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from infra.postgres.faults import is_transient

log = structlog.get_logger(__name__)

_PAUSE_AFTER_FAULT = 1.0


class Lookout(ABC):
    """The loop; what it looks at is for those who inherit it to say."""

    name = "lookout"

    def __init__(self) -> None:
        self._watchers = 0
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def look(self) -> float:
        """Look once; returns in how many seconds to look again."""

    @property
    def is_watched(self) -> bool:
        """Somebody watches."""
        return self._watchers > 0

    @property
    def is_stopping(self) -> bool:
        """The process ends: streams should too."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let all streams end, and any that opens later."""
        self._stopped.set()
        self.tell()

    async def close(self) -> None:
        """Stop, and end the loop."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have it look for the length of the block."""
        self._watchers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_looking(), name=self.name)
        try:
            yield
        finally:
            self._watchers -= 1

    def tell(self) -> None:
        """Wake everybody who waits for news."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def news(self) -> None:
        """Return at the next `tell`."""
        await self._changed.wait()

    async def _keep_looking(self) -> None:
        while self.is_watched and not self.is_stopping:
            try:
                pause = await self.look()
            except Exception as error:
                if not is_transient(error):
                    log.exception("what is watched could not be read", watched=self.name)
                pause = _PAUSE_AFTER_FAULT
            await asyncio.sleep(pause)
