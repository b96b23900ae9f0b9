"""Tells a lost broker from a cancelled task.

One rule: aiormq ends waits on a lost connection with CancelledError, so every await of it goes through `guarded`.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class BrokerLostError(Exception):
    """The connection to the broker ended while something waited for it."""


async def guarded(awaitable: Awaitable[T]) -> T:
    """Await, and raise BrokerLostError where nobody cancelled this task but the connection was lost."""
    try:
        return await awaitable
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerLostError from error
