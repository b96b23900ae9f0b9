"""Waits for what a test expects, and no longer than it must: a condition, or the next item of a queue."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_LOOK_SECONDS = 0.005
# Not how long anything should take: when a busy machine may be told from a condition that never comes.
_PATIENCE_SECONDS = 60.0


async def eventually(condition: Callable[[], bool], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Return as soon as the condition holds; TimeoutError when it never does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a condition of another process has no event
            await asyncio.sleep(_LOOK_SECONDS)


async def taken(queue: "asyncio.Queue[T]", count: int, *, seconds: float = _PATIENCE_SECONDS) -> "list[T]":
    """The next `count` items."""
    async with asyncio.timeout(seconds):
        return [await queue.get() for _ in range(count)]


async def found(look: "Callable[[], Awaitable[T | None]]", *, seconds: float = _PATIENCE_SECONDS) -> "T":
    """What `look` finds at last: its first answer that is neither None nor empty nor false."""
    async with asyncio.timeout(seconds):
        while not (answer := await look()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(_LOOK_SECONDS * 4)
    return answer
