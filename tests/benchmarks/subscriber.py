"""A subscriber as any other: a durable quorum queue bound to the events exchange; it checks that nothing is missing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from infra.rabbitmq.topology import Topology, declare_events

_PREFETCH = 200


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """What has been received, per tenant; bodies are read after the load, so that reading takes no time from it.

    Where they are not kept, all that is known in the end is how many events came.
    """

    keeps: bool = True
    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    last_at: float = 0.0
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Keep one message."""
        tenant, _, _ = str(message.routing_key).partition(".")
        first, last = (int(str(message.headers[name])) for name in ("first_sequence", "last_sequence"))
        self.events[tenant] = self.events.get(tenant, 0) + last - first + 1
        self.last_at = time.perf_counter()
        self._more.set()
        if self.keeps:
            self.bodies.setdefault(tenant, []).append(message.body)
            self.times.setdefault(tenant, []).append(self.last_at)
        await message.ack()

    async def received(self, tenant: str, count: int, *, seconds: float = 60.0) -> None:
        """Wait until this many events of the tenant have come.

        Raises:
            TimeoutError: they have not.
        """
        async with asyncio.timeout(seconds):
            while self.events.get(tenant, 0) < count:
                self._more.clear()
                await self._more.wait()

    def told_at(self, tenant: str) -> dict[str, float]:
        """When the last event of each operation of the tenant came, by the operation's id."""
        return {
            event["operationid"]: at
            for at, body in zip(self.times[tenant], self.bodies[tenant], strict=True)
            for event in json.loads(body)
        }

    def checked(self, tenant: str) -> int:
        """How many events the tenant's messages hold, after proof that they are numbered 1, 2, 3, … without a gap.

        Raises:
            RuntimeError: one is missing, repeated or out of order.
        """
        expected = 1
        self.times.pop(tenant, None)
        for body in self.bodies.pop(tenant, []):
            for event in json.loads(body):
                if int(event["sequence"]) != expected:
                    raise RuntimeError(f"{tenant}: event {event['sequence']} came where {expected} was due")
                expected += 1
        return expected - 1


@asynccontextmanager
async def subscribed(url: str, prefix: str, *, keeps: bool = True) -> AsyncIterator[Subscriber]:
    """A subscriber to everything under the prefix, bound before the block begins."""
    subscriber = Subscriber(keeps=keeps)
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=_PREFETCH)
        topology = Topology(prefix=prefix)
        await declare_events(channel, topology)
        queue = await channel.declare_queue(f"{prefix}.bench", durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(topology.events_exchange, routing_key="#")
        tag = await queue.consume(subscriber.take)
        yield subscriber
        await queue.cancel(tag)
        await queue.delete(if_unused=False, if_empty=False)
