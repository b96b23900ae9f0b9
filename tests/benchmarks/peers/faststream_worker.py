"""Peer (b): FastStream on RabbitMQ, one transaction for each message, asyncio throughout."""

from typing import Any

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.benchmarks.peers.job import assign_together
from tests.benchmarks.peers.models import AMQP_URL, QUEUE, database_url

broker = RabbitBroker(AMQP_URL, default_channel=Channel(prefetch_count=10))
app = FastStream(broker)
queue = RabbitQueue(QUEUE, queue_type=QueueType.QUORUM, durable=True)
session_of = async_sessionmaker(create_async_engine(database_url("asyncpg"), pool_size=10))


@broker.subscriber(queue, ack_policy=AckPolicy.NACK_ON_ERROR)
async def assign_batch(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One transaction for a message; what is returned goes to whoever asked."""
    async with session_of.begin() as session:
        return await session.run_sync(assign_together, items)
