"""Claims on a real broker: what is published arrives, is acked once, and what cannot be read is kept aside."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from infra.rabbitmq import Claim
from infra.rabbitmq.claims import TOGETHER
from infra.rabbitmq.topology import Topology, declare_commands
from tests.support.brokers import Inbox, a_claim, outside_channel, running_broker
from tests.support.waiting import eventually, taken


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def broker(amqp_url, broker_prefix, channel):
    async with running_broker(amqp_url, broker_prefix) as broker:
        yield broker


async def consumed(broker, *, prefetch=100):
    inbox = Inbox()
    await broker.consume_claims(inbox, prefetch=prefetch)
    await eventually(lambda: broker.reachable)
    return inbox


async def test_a_claim_arrives_as_it_was_published(broker):
    inbox = await consumed(broker)
    claim = Claim(tenant_id=7, operation_id=uuid4(), request_id="r-1", traceparent="00-ab-cd-01")

    assert await broker.publish_claims([claim]) == 1

    [delivered] = await taken(inbox.queue, 1)
    assert delivered.claim == claim


async def test_many_claims_share_messages_and_all_arrive(broker):
    inbox = await consumed(broker, prefetch=2)
    claims = [a_claim(tenant_id) for tenant_id in range(1, 301)]

    arriving = asyncio.create_task(taken(inbox.queue, 2 * TOGETHER))
    assert await broker.publish_claims(claims) == 300

    first = await arriving
    for delivered in first:
        delivered.ack()
    second = await taken(inbox.queue, 2 * TOGETHER)
    assert [delivered.claim for delivered in first + second] == claims[: 4 * TOGETHER]


async def test_a_message_comes_again_whole_until_each_of_its_claims_was_acked(broker, amqp_url, broker_prefix, channel):
    inbox = await consumed(broker)
    claims = [a_claim(tenant_id) for tenant_id in range(1, 5)]
    await broker.publish_claims(claims)
    for delivered in (await taken(inbox.queue, 4))[1:]:
        delivered.ack()
    await broker.stop()

    async with running_broker(amqp_url, broker_prefix) as other:
        again = await taken((await consumed(other)).queue, 4)
        for delivered in again:
            delivered.ack()
    assert [delivered.claim for delivered in again] == claims
    queue = await declare_commands(channel, Topology(prefix=broker_prefix))
    assert queue.declaration_result.message_count == 0


async def test_no_claims_are_no_work(broker):
    assert await broker.publish_claims([]) == 0


async def test_what_was_acked_in_any_order_never_comes_again_and_the_rest_does(broker, amqp_url, broker_prefix):
    inbox = await consumed(broker, prefetch=5)
    claims = [a_claim(tenant_id) for tenant_id in range(1, 9)]
    for claim in claims:
        await broker.publish_claims([claim])

    delivered = await taken(inbox.queue, 5)
    for place in (4, 1, 2, 4):
        delivered[place].ack()
    delivered += await taken(inbox.queue, 3)
    delivered[5].ack()
    await broker.stop()

    async with running_broker(amqp_url, broker_prefix) as other:
        again = await taken((await consumed(other)).queue, 4)
    assert {item.claim for item in again} == {claims[0], claims[3], claims[6], claims[7]}


async def test_a_message_that_is_no_claim_is_kept_aside_and_its_neighbours_arrive(broker, channel, broker_prefix):
    topology = Topology(prefix=broker_prefix)
    exchange = await channel.get_exchange(topology.commands_exchange)
    unreadable = await channel.get_queue(topology.unreadable_queue)
    inbox = await consumed(broker)

    claim = a_claim()
    await exchange.publish(aio_pika.Message(b'{"v":99}'), routing_key=topology.claim_key)
    await exchange.publish(aio_pika.Message(b"\xff not json"), routing_key=topology.claim_key)
    await broker.publish_claims([claim])

    [delivered] = await taken(inbox.queue, 1)
    delivered.ack()
    kept = asyncio.Queue()
    await unreadable.consume(kept.put, no_ack=True)
    messages = await taken(kept, 2)
    assert {message.body for message in messages} == {b'{"v":99}', b"\xff not json"}
    assert all(message.headers["x-seatline-reason"] for message in messages)
    await broker.stop()
    assert (await declare_commands(channel, topology)).declaration_result.message_count == 0


async def test_a_consumer_that_raises_loses_its_claim_and_nothing_else(broker, broker_prefix, channel):
    inbox = Inbox()

    def refuse_the_first(delivered):
        if delivered.claim.tenant_id == 1:
            raise RuntimeError("no room")
        inbox(delivered)

    await broker.consume_claims(refuse_the_first, prefetch=1)
    await eventually(lambda: broker.reachable)
    for together in ([1], [1, 2], [3]):
        await broker.publish_claims([a_claim(tenant_id) for tenant_id in together])

    [second] = await taken(inbox.queue, 1)
    second.ack()
    [third] = await taken(inbox.queue, 1)
    assert (second.claim.tenant_id, third.claim.tenant_id) == (2, 3)


async def test_after_consuming_has_stopped_nothing_arrives_and_acks_still_count(broker, broker_prefix, channel):
    inbox = await consumed(broker)
    await broker.publish_claims([a_claim(1)])
    [delivered] = await taken(inbox.queue, 1)

    await broker.stop_consuming()
    await broker.publish_claims([a_claim(2)])
    delivered.ack()
    await broker.stop()

    assert inbox.queue.empty()
    queue = await declare_commands(channel, Topology(prefix=broker_prefix))
    assert queue.declaration_result.message_count == 1


async def test_a_second_start_with_the_same_names_changes_nothing(broker, amqp_url, broker_prefix):
    await broker.publish_claims([a_claim(1)])
    async with running_broker(amqp_url, broker_prefix) as other:
        inbox = await consumed(other)
        [delivered] = await taken(inbox.queue, 1)
    assert delivered.claim.tenant_id == 1
