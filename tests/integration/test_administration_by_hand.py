"""Faults of a run under fire lay hands on queues that the service may only just be declaring."""

import asyncio

import pytest
from aio_pika.exceptions import ChannelNotFoundEntity

from tests.chaos import administration


async def test_what_is_declared_a_moment_later_is_waited_for(amqp_url, broker_prefix):
    name, looks = f"{broker_prefix}.late", []

    async def purge(channel):
        looks.append(channel)
        if len(looks) == 2:
            await channel.declare_queue(name, exclusive=True)
        await (await channel.get_queue(name, ensure=False)).purge()

    async with asyncio.timeout(10):
        await administration.on_broker(amqp_url, purge)
    assert len(looks) == 2


async def test_what_never_comes_is_an_error(amqp_url, broker_prefix, monkeypatch):
    monkeypatch.setattr(administration, "_APPEARS_SECONDS", 0.0)

    async def purge(channel):
        await (await channel.get_queue(f"{broker_prefix}.never", ensure=False)).purge()

    async with asyncio.timeout(10):
        with pytest.raises(ChannelNotFoundEntity):
            await administration.on_broker(amqp_url, purge)
