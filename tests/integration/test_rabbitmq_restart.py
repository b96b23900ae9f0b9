"""A broker that is killed at the worst moment: right after the queue was declared, when its leader can be lost."""

import asyncio

import pytest

from infra.rabbitmq import EventMessage
from tests.support.brokers import Inbox, a_claim, running_broker
from tests.support.servers import private_rabbitmq
from tests.support.waiting import eventually, taken


@pytest.fixture
def node():
    with private_rabbitmq() as node:
        yield node


async def test_a_queue_that_lost_its_leader_is_replaced_and_events_go_on_meanwhile(node):
    async with running_broker(node.server.url, "seatline") as broker:
        inbox = Inbox()
        await broker.consume_claims(inbox, prefetch=10)
        await eventually(lambda: broker.reachable)
        await asyncio.to_thread(node.kill)
        await eventually(lambda: not broker.reachable)
        await asyncio.to_thread(node.start)

        await eventually(lambda: broker.takes_events, seconds=60)
        event = EventMessage(message_id="m", routing_key="t.user.updated", body=b"[]", headers={})
        assert await broker.publish_events([event]) == [True]
        await eventually(lambda: broker.reachable, seconds=90)
        assert await broker.publish_claims([a_claim()]) == 1
        await taken(inbox.queue, 1)
