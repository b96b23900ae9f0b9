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
    """What has been received, per tenant; bodies are read after the load, so that reading takes no time from it."""

    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    last_at: float = 0.0

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Keep one message."""
        tenant, _, _ = str(message.routing_key).partition(".")
        first, last = (int(str(message.headers[name])) for name in ("first_sequence", "last_sequence"))
        self.events[tenant] = self.events.get(tenant, 0) + last - first + 1
        self.bodies.setdefault(tenant, []).append(message.body)
        self.last_at = time.perf_counter()
        await message.ack()

    async def received(self, tenant: str, count: int, *, seconds: float = 60.0) -> None:
        """Wait until this many events of the tenant have come.

        Raises:
            TimeoutError: they have not.
        """
        async with asyncio.timeout(seconds):
            while self.events.get(tenant, 0) < count:  # noqa: ASYNC110 - looked at from outside the consumer
                await asyncio.sleep(0.01)

    def checked(self, tenant: str) -> int:
        """How many events the tenant's messages hold, after proof that they are numbered 1, 2, 3, … without a gap.

        Raises:
            RuntimeError: one is missing, repeated or out of order.
        """
        expected = 1
        for body in self.bodies.pop(tenant, []):
            for event in json.loads(body):
                if int(event["sequence"]) != expected:
                    raise RuntimeError(f"{tenant}: event {event['sequence']} came where {expected} was due")
                expected += 1
        return expected - 1


@asynccontextmanager
async def subscribed(url: str, prefix: str) -> AsyncIterator[Subscriber]:
    """A subscriber to everything under the prefix, bound before the block begins."""
    subscriber = Subscriber()
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=_PREFETCH)
        topology = Topology(prefix=prefix)
        await declare_events(channel, topology)
        queue = await channel.declare_queue(f"{prefix}.bench", durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(topology.events_exchange, routing_key="#")
        await queue.consume(subscriber.take)
        yield subscriber
        await queue.delete(if_unused=False, if_empty=False)
