"""Two things at once, and neither left behind.

One rule: nothing is raised while the other still runs; a transaction must not end under its own statement.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")


async def both(first: Awaitable[_A], second: Awaitable[_B]) -> tuple[_A, _B]:
    """Both, one beside the other; what raises, raises when neither goes on."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(other, BaseException):
        raise other
    return one, other
