"""How deep the queues of the service are, asked of a real broker again and again."""

import asyncio

import aio_pika
import pytest

from infra.rabbitmq.publishing import Depths
from infra.rabbitmq.topology import Topology
from tests.support.brokers import a_claim, outside_channel, running_broker
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import found


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


async def test_depths_are_those_of_the_broker_each_time(channel, amqp_url, broker_prefix):
    async with running_broker(amqp_url, broker_prefix) as broker:
        assert await broker.depths() == Depths(claims=0, unreadable=0)
        await broker.publish_claims([a_claim(1), a_claim(2)])
        await broker.publish_claims([a_claim(3)])
        queue = Topology(prefix=broker_prefix).unreadable_queue
        await channel.default_exchange.publish(aio_pika.Message(b"?"), routing_key=queue)

        async def all_there():
            return await broker.depths() == Depths(claims=2, unreadable=1)

        assert await found(all_there)


async def test_a_queue_that_is_gone_is_told_as_unknown_and_ends_nothing(channel, amqp_url, broker_prefix):
    async with running_broker(amqp_url, broker_prefix) as broker:
        await channel.queue_delete(Topology(prefix=broker_prefix).unreadable_queue)
        assert await broker.depths() is None
        assert broker.reachable


async def test_a_broker_that_hangs_or_is_not_there_is_told_within_moments(channel, amqp_url, broker_prefix):
    async with TcpProxy(amqp_url) as proxy, running_broker(proxy.url, broker_prefix) as broker:
        proxy.black_hole()
        async with asyncio.timeout(5):
            assert await broker.depths() is None
        proxy.heal()
