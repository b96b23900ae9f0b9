"""What a run does on the broker by hand, it does again while the broker does not take it."""

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from tests.chaos.administration import on_broker


async def _full_queue(channel: AbstractChannel, name: str) -> None:
    """A queue that refuses by a nack whatever is published to it."""
    limits = {"x-max-length": 1, "x-overflow": "reject-publish", "x-expires": 60_000}
    await channel.declare_queue(name, arguments=limits)
    await channel.default_exchange.publish(aio_pika.Message(b"first"), routing_key=name)


@pytest.mark.parametrize("refusals", [0, 2])
async def test_what_the_broker_refuses_is_published_again(amqp_url, broker_prefix, refusals):
    name, attempts = f"{broker_prefix}.full", 0

    async def publish(channel: AbstractChannel) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await _full_queue(channel, name)
        if attempts > refusals:
            await (await channel.get_queue(name)).purge()
        await channel.default_exchange.publish(aio_pika.Message(b"mine"), routing_key=name)

    await on_broker(amqp_url, publish)
    assert attempts == refusals + 1
