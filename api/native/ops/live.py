"""What changes by itself, read for all who watch it, and whether each of them still may.

One rule: what is streamed to an operator ends with the operator's right to it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from typing_extensions import override

from api.authentication import TooManyBadCredentialsError, UnauthenticatedError
from api.http.context import RequestContext, caller_of
from api.native.lookout import Lookout
from infra.postgres.faults import is_transient

T = TypeVar("T")
# How often a stream asks whether its caller may still read it.
ALLOWED_EVERY_SECONDS = 5.0


class Feed(Lookout, Generic[T]):
    """Reads again and again while anybody watches, and hands everybody the same."""

    name = "feed"

    def __init__(self, read: Callable[[], Awaitable[T]], *, every_seconds: float) -> None:
        super().__init__()
        self._read = read
        self._every = every_seconds
        self._latest: T | None = None
        self._turn = 0

    @property
    def turn(self) -> int:
        """How often it has read."""
        return self._turn

    async def after(self, turn: int) -> tuple[int, T] | None:
        """The next that is read after this turn, with its own; None when the process ends."""
        while self._turn <= turn or self._latest is None:
            if self.is_stopping:
                return None
            await self.news()
        return self._turn, self._latest

    @override
    async def look(self) -> float:
        self._latest = await self._read()
        self._turn += 1
        self.tell()
        return self._every


class Permission:
    """Whether the caller of a stream may still read it, asked again now and then."""

    def __init__(self, context: RequestContext, *scopes: str) -> None:
        self._context = context
        self._scopes = scopes
        self._ask_at = 0.0

    async def lasts(self) -> bool:
        """False once the token has been revoked or has expired."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_at:
            return True
        self._ask_at = now + ALLOWED_EVERY_SECONDS
        try:
            caller = await caller_of(self._context.request)
        except (UnauthenticatedError, TooManyBadCredentialsError):
            return False
        except Exception as error:
            # The database is away: that is what the stream has to tell, and nobody is revoked by it.
            if is_transient(error):
                return True
            raise
        return caller.is_operator and caller.may(*self._scopes)
