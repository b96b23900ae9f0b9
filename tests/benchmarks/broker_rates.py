"""aio-pika alone, in a process of its own: messages as large as ours, confirmed by a quorum queue, and consumed.

It takes the broker's address and the number of messages as JSON on standard input and prints rates as JSON.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from domain.events import EventType
from infra.cloudevents import EVENTS_PER_MESSAGE, encode
from infra.rabbitmq.events import CONTENT_TYPE
from tests.support.sample_events import SAMPLES, numbered

# As many as the broker confirms at its best: more in flight gain nothing.
_IN_FLIGHT = 100
_PREFETCH = 200


def sample(events: int) -> aio_pika.Message:
    """A message of so many events, as the relay would publish it."""
    event = SAMPLES[EventType.GROUP_ASSIGNMENT_CREATED]
    [message] = encode(numbered(event, count=events), tenant_key="tenant", at=datetime.now(UTC))
    return aio_pika.Message(
        message.body,
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id="m",
        headers={"first_sequence": "1", "last_sequence": str(events)},
    )


async def measure(url: str, messages: int) -> dict[str, dict[str, float]]:
    """Messages a second, published and consumed, and the bytes of one, by the events in a message."""
    connection = await aio_pika.connect(url)
    async with connection:
        return {str(events): await _rates(connection, sample(events), messages) for events in (1, EVENTS_PER_MESSAGE)}


async def _rates(
    connection: aio_pika.abc.AbstractConnection, message: aio_pika.Message, messages: int
) -> dict[str, float]:
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    await channel.set_qos(prefetch_count=_PREFETCH)
    queue = await channel.declare_queue("bench.limit", durable=True, arguments={"x-queue-type": "quorum"})
    try:
        began = time.perf_counter()
        for _ in range(messages // _IN_FLIGHT):
            exchange = channel.default_exchange
            await asyncio.gather(*(exchange.publish(message, routing_key=queue.name) for _ in range(_IN_FLIGHT)))
        published = time.perf_counter() - began
        sent = messages // _IN_FLIGHT * _IN_FLIGHT
        consumed = await _consume(queue, sent)
        return {"published": sent / published, "consumed": sent / consumed, "bytes": len(message.body)}
    finally:
        await queue.delete(if_unused=False, if_empty=False)
        await channel.close()


async def _consume(queue: AbstractQueue, messages: int) -> float:
    left, finished = messages, asyncio.get_running_loop().create_future()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal left
        await message.ack()
        left -= 1
        if not left:
            finished.set_result(None)

    began = time.perf_counter()
    tag = await queue.consume(take)
    await finished
    seconds = time.perf_counter() - began
    await queue.cancel(tag)
    return seconds


if __name__ == "__main__":
    json.dump(uvloop.run(measure(**json.load(sys.stdin))), sys.stdout)
