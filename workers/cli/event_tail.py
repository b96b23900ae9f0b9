"""Follows a tenant's events: live from the broker, and from the log wherever the broker left a gap.

One rule: each event is shown once, in the order of its log, however often and in whatever order it arrives.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from infra.cloudevents import split
from infra.rabbitmq import Connected, ReceivedMessage, Subscription
from workers.cli.continuity import Continuity, Mark, Place
from workers.cli.event_log import EventLog, Expired

POLL_SECONDS = 0.5

Event = dict[str, Any]


class Tail:
    """Shows events as they come. Without a log, gaps are reported instead of filled."""

    def __init__(
        self,
        *,
        types: Sequence[str],
        after: int | None,
        log: EventLog | None,
        show: Callable[[Event], None],
        say: Callable[[str], None],
    ) -> None:
        self._types = types
        self._continuity = Continuity(types=types, after=after)
        self._log = log
        self._show = show
        self._say = say

    async def follow(self, subscription: Subscription) -> None:
        """Show what the subscription hears, until cancelled."""
        while True:
            match await subscription.next():
                case Connected():
                    self._say("connected")
                    await self._catch_up()
                case ReceivedMessage(body=body, ack=ack):
                    for event in split(body):
                        await self._take(json.loads(event))
                    ack()

    async def poll(self) -> None:
        """Show what the log holds and what is added to it, until cancelled."""
        while True:
            await self._catch_up()
            await asyncio.sleep(POLL_SECONDS)

    async def _take(self, event: Event) -> None:
        mark = _mark(event)
        if self._continuity.judge(mark) is Place.BEYOND_A_GAP:
            await self._fill(mark)
        self._show_once(event)

    async def _fill(self, mark: Mark) -> None:
        after = self._continuity.last(mark.type)
        if self._log is None or after is None:
            self._say(f"events between {after} and {mark.sequence} were missed, and there is no log to read them from")
            self._continuity.take(Mark(type=mark.type, sequence=mark.sequence - 1, previous=0))
            return
        self._say(f"filling the gap between {after} and {mark.sequence}")
        await self._read(self._log, after, [mark.type] if self._types else [], mark.sequence)

    async def _catch_up(self) -> None:
        after = self._continuity.first_missing_after()
        if self._log is not None and after is not None:
            await self._read(self._log, after, self._types, None)

    async def _read(self, log: EventLog, after: int, types: Sequence[str], until: int | None) -> None:
        """Show the log from after a sequence up to another, or to its present end."""
        while until is None or after < until:
            page = await log.page(after=after, types=types)
            if isinstance(page, Expired):
                self._say(f"the log begins at {page.earliest}; what was before is gone")
                after = page.earliest - 1
                self._continuity.skip_to(after)
                continue
            if not page:
                return
            for event in page:
                self._show_once(event)
            after = int(page[-1]["sequence"])

    def _show_once(self, event: Event) -> None:
        mark = _mark(event)
        if self._continuity.judge(mark) is not Place.REPEATED:
            self._continuity.take(mark)
            self._show(event)


def _mark(event: Event) -> Mark:
    return Mark(type=event["type"], sequence=int(event["sequence"]), previous=int(event["previous"]))
