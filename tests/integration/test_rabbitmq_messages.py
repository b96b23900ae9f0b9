"""Replies and events on a real broker: nobody need be listening, and whoever is gets exactly what was sent."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from infra.rabbitmq import EventMessage
from infra.rabbitmq.burst import of_message
from infra.rabbitmq.publisher import Publisher
from infra.rabbitmq.topology import Topology
from tests.support.brokers import outside_channel, running_broker
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually, taken


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def broker(amqp_url, broker_prefix, channel):
    async with running_broker(amqp_url, broker_prefix) as broker:
        yield broker


async def subscribed(channel, prefix, key):
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(Topology(prefix=prefix).events_exchange, routing_key=key)
    arrived = asyncio.Queue()
    await queue.consume(arrived.put, no_ack=True)
    return arrived


async def test_a_reply_names_the_operations_to_the_process_that_waits(broker, amqp_url, broker_prefix):
    async with running_broker(amqp_url, broker_prefix) as waiting:
        replies = asyncio.Queue()
        queue = await waiting.consume_replies(replies.put_nowait)
        await eventually(lambda: waiting.reachable)
        operations = [uuid4(), uuid4()]

        await broker.publish_replies({queue: operations})

        assert await taken(replies, 1) == [operations]


async def test_a_reply_to_a_queue_that_is_gone_is_no_error_and_the_others_arrive(broker, amqp_url, broker_prefix):
    async with running_broker(amqp_url, broker_prefix) as waiting:
        replies = asyncio.Queue()
        queue = await waiting.consume_replies(replies.put_nowait)
        await eventually(lambda: waiting.reachable)
        operation_id = uuid4()

        await broker.publish_replies({f"{broker_prefix}.replies.gone": [uuid4()], queue: [operation_id]})

        assert await taken(replies, 1) == [[operation_id]]
        assert broker.reachable


async def test_the_reply_queue_keeps_its_name_when_the_connection_is_lost(broker, amqp_url, broker_prefix):
    async with TcpProxy(amqp_url) as proxy, running_broker(proxy.url, broker_prefix) as waiting:
        replies = asyncio.Queue()
        queue = await waiting.consume_replies(replies.put_nowait)
        await eventually(lambda: waiting.reachable)

        proxy.cut()
        await eventually(lambda: not waiting.reachable)
        await eventually(lambda: waiting.reachable)
        operation_id = uuid4()
        await broker.publish_replies({queue: [operation_id]})

        assert await taken(replies, 1) == [[operation_id]]


async def test_events_that_nobody_listens_to_are_confirmed(broker):
    message = EventMessage(message_id="m", routing_key="nobody.user.updated", body=b"[]", headers={})
    assert await broker.publish_events([message]) == [True]


async def test_a_subscriber_gets_the_stored_bytes_in_the_order_of_publication(broker, channel, broker_prefix):
    arrived = await subscribed(channel, broker_prefix, "demo.user.*")
    messages = [
        EventMessage(
            message_id=f"demo-{place}",
            routing_key="demo.user.updated",
            body=f'[{{"n":{place}}}]'.encode(),
            headers={"first_sequence": str(place)},
        )
        for place in range(200)
    ]

    assert await broker.publish_events(messages) == [True] * 200

    received = await taken(arrived, 200)
    assert [message.body for message in received] == [message.body for message in messages]
    assert [message.message_id for message in received] == [message.message_id for message in messages]
    assert {message.content_type for message in received} == {"application/cloudevents-batch+json"}
    assert received[3].headers["first_sequence"] == "3"


async def test_a_binding_takes_only_its_types(broker, channel, broker_prefix):
    arrived = await subscribed(channel, broker_prefix, "*.group.deleted")
    for key in ("demo.group.updated", "demo.group.deleted", "demo.group_assignment.deleted"):
        await broker.publish_events([EventMessage(message_id=key, routing_key=key, body=b"[]", headers={})])
    [message] = await taken(arrived, 1)
    assert message.routing_key == "demo.group.deleted"
    assert arrived.empty()


async def test_a_message_that_is_larger_than_a_frame_arrives_whole(broker, channel, broker_prefix):
    arrived = await subscribed(channel, broker_prefix, "large.#")
    body = bytes(range(256)) * 2_000
    message = EventMessage(message_id="large", routing_key="large.user.updated", body=body, headers={})
    assert await broker.publish_events([message]) == [True]
    assert [one.body for one in await taken(arrived, 1)] == [body]


async def test_what_the_broker_refuses_is_not_confirmed_and_what_goes_with_it_is(broker, channel, broker_prefix):
    full = await channel.declare_queue(exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    await full.bind(Topology(prefix=broker_prefix).events_exchange, routing_key="full.#")
    messages = [
        EventMessage(message_id=str(place), routing_key=f"{tenant}.user.updated", body=b"[]", headers={})
        for place, tenant in enumerate(["full", "full", "other", "full"])
    ]
    assert await broker.publish_events(messages) == [True, False, True, False]


async def test_what_comes_back_is_not_confirmed_and_what_goes_with_it_is(amqp_url, broker_prefix):
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        queue, doubts = await channel.declare_queue(exclusive=True), []
        publisher = Publisher(channel=channel, exchange="", mandatory=True, on_doubt=doubts.append)
        keys = [queue.name, f"{broker_prefix}.missing", queue.name]
        messages = [of_message(aio_pika.Message(key.encode()), key) for key in keys]
        assert await publisher.publish(messages, seconds=5) == [True, False, True]
    assert doubts == ["returned as unroutable"]
