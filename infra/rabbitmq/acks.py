"""Acknowledges deliveries in as few frames as possible, in whatever order they are dealt with.

One rule: this is the only place that acks, and a delivery of a channel that has ended is left to come again.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from aiormq.abc import AbstractChannel as UnderlayChannel


class Acks:
    """The acks of one channel.

    Tags count up from 1 on a channel. Everything up to the first tag that is still at work goes with one
    `multiple` ack; what is done beyond it goes one by one, so that a slow tenant does not use up the prefetch window.
    """

    def __init__(self, channel: UnderlayChannel) -> None:
        self._channel = channel
        self._prefix = 0
        self._new: set[int] = set()
        self._beyond: set[int] = set()
        self._changed = asyncio.Event()
        self._closed = False

    def done(self, tag: int) -> None:
        """Note that the delivery is dealt with; a second note, or one for a channel that is gone, changes nothing."""
        if not self._closed and tag > self._prefix and tag not in self._beyond:
            self._new.add(tag)
            self._changed.set()

    async def run(self) -> None:
        """Send acks as they become due, until cancelled or the channel ends; after that, acks change nothing."""
        try:
            while True:
                await self._changed.wait()
                await self.flush()
        finally:
            self._closed = True
            self._new.clear()

    async def flush(self) -> None:
        """Send every ack that is due now."""
        self._changed.clear()
        together, singles = self._take()
        if together is not None:
            await self._channel.basic_ack(together, multiple=True, wait=False)
        for tag in singles:
            await self._channel.basic_ack(tag, wait=False)

    def _take(self) -> tuple[int | None, list[int]]:
        """The tag to ack together with all before it, and the tags to ack alone.

        The broker refuses a `multiple` ack of a tag that it no longer knows, so it names the last *new* tag of the
        unbroken run, not a later one that was acked alone.
        """
        together: int | None = None
        while (following := self._prefix + 1) in self._new or following in self._beyond:
            self._prefix = following
            if following in self._new:
                together = following
        self._new = {tag for tag in self._new if tag > self._prefix}
        self._beyond = {tag for tag in self._beyond if tag > self._prefix} | self._new
        singles = sorted(self._new)
        self._new = set()
        return together, singles


def shared_ack(ack: Callable[[], None], claims: int) -> list[Callable[[], None]]:
    """An acknowledgement for each claim of one message, which is acknowledged with the last of them."""
    if claims == 1:
        return [ack]
    open_places = set(range(claims))

    def done(place: int) -> None:
        open_places.discard(place)
        if not open_places:
            ack()

    return [partial(done, place) for place in range(claims)]
