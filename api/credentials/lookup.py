"""Natural batching for reads: one statement for everything that was asked while the last one ran.

One rule: an answer belongs to questions that were asked before its statement began, and to no later one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from api.spans import waited_for
from infra.tracing.work import Tracer, current_parent, told

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# A database that hangs is an error to whoever asks, not a silence.
_ANSWER_SECONDS = 6.0


class Lookup(Generic[Key, Value]):
    """Answers single questions out of a function that answers many."""

    def __init__(
        self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], *, tracer: Tracer | None = None
    ) -> None:
        self._read = read
        self._tracer = tracer
        self._parents: list[str] = []
        self._asked: dict[Key, asyncio.Future[Value | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def find(self, key: Key) -> Value | None:
        """The value of `key`, None where there is none; raises what the reading function raised."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._tracer is not None and (parent := current_parent()) is not None:
            self._parents.append(parent)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer_all(), name="lookup")
        # Shielded: a caller that goes away must not take the answer from the others that asked the same.
        return await asyncio.shield(answer)

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    found = await self._found(list(asked))
            except Exception as error:  # noqa: BLE001 - whoever asked must learn of it, whatever it is
                for answer in asked.values():
                    answer.set_exception(error)
                    answer.exception()  # marks it as seen: its caller may have gone away
            else:
                for key, answer in asked.items():
                    answer.set_result(found.get(key))

    async def _found(self, asked: Sequence[Key]) -> Mapping[Key, Value]:
        if self._tracer is None:
            return await self._read(asked)
        parents, self._parents = self._parents, []
        with told(self._tracer, "look up", partial(waited_for, "authenticate", parents)):
            return await self._read(asked)
