"""A running `Broker` for a test, and a plain channel that looks at the same node from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aio_pika
from aio_pika.abc import AbstractChannel

from infra.rabbitmq import Broker, Claim, DeliveredClaim
from infra.rabbitmq.topology import Topology, declare_commands, declare_events, declare_unreadable
from tests.support.waiting import eventually


@asynccontextmanager
async def running_broker(url: str, prefix: str, *, consume: bool = False) -> AsyncIterator[Broker]:
    """A broker that is reachable already."""
    broker = Broker(url=url, prefix=prefix, connection_name="test")
    await broker.start()
    try:
        if consume:
            await broker.consume_claims(lambda _: None, prefetch=10)
        await eventually(lambda: broker.reachable)
        yield broker
    finally:
        await broker.stop()


@asynccontextmanager
async def outside_channel(url: str, prefix: str) -> AsyncIterator[AbstractChannel]:
    """A channel of nobody's; at its end everything under the prefix is removed."""
    connection = await aio_pika.connect(url)
    try:
        channel = await connection.channel(on_return_raises=True)
        topology = Topology(prefix=prefix)
        await declare_unreadable(connection, topology)
        await declare_commands(channel, topology)
        await declare_events(channel, topology)
        yield channel
        async with connection.channel() as cleaner:
            for queue in (topology.commands_queue, topology.unreadable_queue):
                await cleaner.queue_delete(queue)
            for exchange in (topology.commands_exchange, topology.events_exchange):
                await cleaner.exchange_delete(exchange)
    finally:
        await connection.close()


class Inbox:
    """Takes claims as a worker would: put them down at once, look at them later."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[DeliveredClaim] = asyncio.Queue()

    def __call__(self, delivered: DeliveredClaim) -> None:
        self.queue.put_nowait(delivered)


def a_claim(tenant_id: int = 7, *, operation_id: UUID | None = None) -> Claim:
    """A claim of some operation."""
    return Claim(tenant_id=tenant_id, operation_id=operation_id or uuid4())
