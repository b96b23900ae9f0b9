"""A subscriber that outlives its broker: what it saw of each tenant's log, in which order, and whether bytes agree.

One rule: it takes what the queue brings and asks the log for nothing, because the queue is what is being tested.
"""

import asyncio
import hashlib
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from infra.rabbitmq.topology import Topology, declare_events
from workers.cli.continuity import Continuity, Mark, Place

_PREFETCH = 200
_AGAIN_SECONDS = 0.5
_CONNECT_SECONDS = 5.0
_DECLARE_SECONDS = 5.0


@dataclass(slots=True)
class Seen:
    """What was seen of one tenant."""

    continuity: Continuity = field(default_factory=lambda: Continuity(after=0))
    digests: dict[int, bytes] = field(default_factory=dict)
    """Of each message, by its first sequence."""
    events: int = 0
    repeated: int = 0
    out_of_order: int = 0
    differing: int = 0

    def take(self, body: bytes) -> None:
        """Judge each event of a message, and compare the message with what was seen in its place before."""
        marks = [_mark(event) for event in json.loads(body)]
        digest = hashlib.sha256(body).digest()
        if self.digests.setdefault(marks[0].sequence, digest) != digest:
            self.differing += 1
        for mark in marks:
            match self.continuity.judge(mark):
                case Place.NEXT:
                    self.continuity.take(mark)
                    self.events += 1
                case Place.REPEATED:
                    self.repeated += 1
                case Place.BEYOND_A_GAP:
                    self.out_of_order += 1

    @property
    def last(self) -> int:
        """Up to here nothing is missing."""
        return self.continuity.last("") or 0


class Subscriber:
    """One durable queue bound to everything under a prefix, consumed again after every loss."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._topology = Topology(prefix=prefix)
        self._queue = f"{prefix}.subscriber"
        self.tenants: dict[str, Seen] = {}
        self.messages = Counter[str]()
        self.bound = asyncio.Event()

    async def run(self) -> None:
        """Consume until cancelled."""
        while True:
            with suppress(Exception):  # whatever becomes of the broker, it is asked again
                await self._consume_until_lost()
            await asyncio.sleep(_AGAIN_SECONDS)

    def last(self, tenant: str) -> int:
        """Up to here nothing of the tenant is missing."""
        seen = self.tenants.get(tenant)
        return 0 if seen is None else seen.last

    async def _consume_until_lost(self) -> None:
        async with asyncio.timeout(_CONNECT_SECONDS):
            connection = await aio_pika.connect(self._url)
        lost = asyncio.Event()
        connection.close_callbacks.add(lambda *_: lost.set())
        try:
            async with asyncio.timeout(4 * _DECLARE_SECONDS):
                channel = await connection.channel()
                channel.close_callbacks.add(lambda *_: lost.set())
                await channel.set_qos(prefetch_count=_PREFETCH)
                await declare_events(channel, self._topology)
                queue = await channel.declare_queue(
                    self._queue, durable=True, arguments={"x-queue-type": "quorum"}, timeout=_DECLARE_SECONDS
                )
                await queue.bind(self._topology.events_exchange, routing_key="#", timeout=_DECLARE_SECONDS)
                await queue.consume(self._take, timeout=_DECLARE_SECONDS)
            self.bound.set()
            await lost.wait()
        finally:
            with suppress(Exception):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await connection.close()

    async def _take(self, message: AbstractIncomingMessage) -> None:
        tenant, _, _ = str(message.routing_key).partition(".")
        self.messages[tenant] += 1
        self.tenants.setdefault(tenant, Seen()).take(message.body)
        await message.ack()


def _mark(event: dict[str, str]) -> Mark:
    return Mark(type=event["type"], sequence=int(event["sequence"]), previous=int(event["previous"]))
