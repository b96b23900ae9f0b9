"""A broker that goes wrong: whatever happens to it, calls return in time and the service finds back by itself."""

import asyncio
import struct

import pytest
from aiormq.exceptions import ConnectionInternalError

from infra.rabbitmq import Broker, EventMessage, consuming, publishing
from infra.rabbitmq.topology import Topology, declare_commands
from tests.support.brokers import Inbox, a_claim, outside_channel, running_broker
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually, taken

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def proxy(amqp_url):
    async with TcpProxy(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def broker(proxy, broker_prefix, channel):
    async with running_broker(proxy.url, broker_prefix, consume=True) as broker:
        yield broker


async def consumed(broker):
    inbox = Inbox()
    await broker.consume_claims(inbox, prefetch=10)
    await eventually(lambda: broker.reachable)
    return inbox


async def arrives(broker, inbox):
    """Publish until one claim came through; a claim that is lost on the way is the poll's, not an error."""
    async with asyncio.timeout(30):
        while inbox.queue.empty():
            await broker.publish_claims([a_claim()])
            await eventually(lambda: broker.reachable)
    (await inbox.queue.get()).ack()


def an_event(place: int = 1, *, size: int = 20) -> EventMessage:
    return EventMessage(message_id=f"m-{place}", routing_key="t.user.updated", body=b"x" * size, headers={})


async def test_an_absent_broker_is_no_error_anywhere():
    broker = Broker(url=NOWHERE, prefix="absent", connection_name="test")
    async with asyncio.timeout(2):
        await broker.start()
        await broker.consume_claims(lambda _: None, prefetch=1)
        assert not broker.reachable
        assert await broker.publish_claims([a_claim()]) == 0
        assert await broker.publish_events([an_event()]) == [False]
        await broker.publish_replies({"absent.replies.x": [a_claim().operation_id]})
        await broker.stop()
        await broker.stop()


async def test_a_deleted_queue_is_declared_again_and_consumed_again(broker, channel, broker_prefix):
    inbox = await consumed(broker)
    await channel.queue_delete(Topology(prefix=broker_prefix).commands_queue)
    await arrives(broker, inbox)


async def test_a_queue_that_is_an_internal_error_to_whoever_consumes_is_replaced(broker, monkeypatch):
    """RabbitMQ declares one without a leader as though nothing were wrong; what lies in it is the poll's."""
    assert await broker.publish_claims([a_claim()]) == 1
    refusals = [ConnectionInternalError("INTERNAL_ERROR")] * 2

    async def declared(channel, topology):
        return Refusing(await declare_commands(channel, topology), refusals)

    monkeypatch.setattr(consuming, "declare_commands", declared)
    inbox = await consumed(broker)
    claim = a_claim()
    assert await broker.publish_claims([claim]) == 1
    [delivered] = await taken(inbox.queue, 1)
    assert delivered.claim == claim


async def test_a_queue_that_another_worker_has_replaced_is_left_as_it_is(broker, proxy, broker_prefix):
    """What is unreadable may lie in it, which no poll finds."""
    busy = Inbox()
    await broker.consume_claims(busy, prefetch=1)
    await eventually(lambda: broker.reachable)
    assert await broker.publish_claims([a_claim()]) == 1
    await taken(busy.queue, 1)
    assert await broker.publish_claims([left := a_claim()]) == 1
    async with running_broker(proxy.url, broker_prefix) as late:
        late._consuming._refusals = consuming.REFUSALS
        inbox = Inbox()
        await late.consume_claims(inbox, prefetch=10)
        [delivered] = await taken(inbox.queue, 1)
        assert delivered.claim == left
        assert broker.reachable


class Refusing:
    """A queue that raises these errors before it lets anybody consume."""

    def __init__(self, queue, refusals):
        self._queue = queue
        self._refusals = refusals

    async def consume(self, *args, **options):
        if self._refusals:
            raise self._refusals.pop()
        return await self._queue.consume(*args, **options)

    def __getattr__(self, name):
        return getattr(self._queue, name)


async def test_a_claim_for_a_queue_that_is_gone_is_not_confirmed_and_the_queue_comes_back(
    proxy, channel, broker_prefix
):
    async with running_broker(proxy.url, broker_prefix) as broker:
        await channel.queue_delete(Topology(prefix=broker_prefix).commands_queue)
        assert await broker.publish_claims([a_claim()]) == 0
        await eventually(lambda: broker.reachable)
        assert await broker.publish_claims([a_claim()]) == 1


async def test_a_purged_queue_takes_claims_as_before(broker, channel, broker_prefix):
    await broker.publish_claims([a_claim(), a_claim()])
    queue = await channel.get_queue(Topology(prefix=broker_prefix).commands_queue)
    await queue.purge()
    await arrives(broker, await consumed(broker))


async def test_a_deleted_exchange_is_declared_again(broker, channel, broker_prefix):
    await channel.exchange_delete(Topology(prefix=broker_prefix).events_exchange)
    assert await broker.publish_events([an_event()]) == [False]
    await eventually(lambda: broker.takes_events)
    assert await broker.publish_events([an_event()]) == [True]


async def test_a_cut_connection_is_opened_again_and_unacked_claims_come_again(broker, proxy):
    inbox = await consumed(broker)
    claim = a_claim()
    await broker.publish_claims([claim])
    [first] = await taken(inbox.queue, 1)

    proxy.cut()
    [again] = await taken(inbox.queue, 1)

    assert again.claim == first.claim == claim
    first.ack()
    again.ack()
    await arrives(broker, inbox)


async def test_a_broker_that_refuses_for_a_while_is_found_again(broker, proxy):
    inbox = await consumed(broker)
    seen = proxy.accepted
    proxy.cut(refuse=True)
    await eventually(lambda: proxy.accepted > seen + 1)
    assert not broker.reachable
    assert await broker.publish_claims([a_claim()]) == 0
    proxy.heal()
    await eventually(lambda: broker.reachable)
    await arrives(broker, inbox)


async def test_a_silent_broker_costs_a_bounded_time_once(broker, proxy):
    proxy.black_hole()
    async with asyncio.timeout(4):
        assert await broker.publish_claims([a_claim()]) == 0
    assert not broker.reachable
    async with asyncio.timeout(0.1):
        assert await broker.publish_claims([a_claim()]) == 0
    async with asyncio.timeout(6):
        await broker.stop()


async def test_a_worker_gets_away_from_a_silent_broker_in_time(broker, proxy):
    proxy.black_hole()
    async with asyncio.timeout(6):
        await broker.stop_consuming()
        await broker.stop()


async def test_a_silence_that_only_heartbeats_notice_is_noticed(proxy, broker_prefix, channel):
    async with running_broker(f"{proxy.url}?heartbeat=1", broker_prefix, consume=True) as broker:
        proxy.black_hole()
        await eventually(lambda: not broker.reachable)
        proxy.heal()
        await eventually(lambda: broker.reachable)
        assert await broker.publish_claims([a_claim()]) == 1


async def test_lost_heartbeats_do_not_cancel_whoever_publishes(proxy, broker_prefix, channel):
    async with running_broker(f"{proxy.url}?heartbeat=1", broker_prefix) as broker:
        proxy.black_hole()
        assert await broker.publish_events([an_event()]) == [False]
        assert not asyncio.current_task().cancelling()


async def test_a_connection_reset_in_the_middle_of_a_batch_confirms_no_more_than_was_sent(broker, proxy):
    proxy.reset_after(200_000)
    confirmed = await broker.publish_events([an_event(place, size=10_000) for place in range(100)])
    assert len(confirmed) == 100
    assert not all(confirmed)
    await eventually(lambda: broker.reachable)
    assert await broker.publish_events([an_event()]) == [True]


async def test_a_blocked_connection_is_not_reachable_until_it_is_unblocked(proxy, broker_prefix, channel):
    async with running_broker(proxy.url, broker_prefix) as broker:
        reason = b"low on memory"
        proxy.say_to_clients(connection_method(60, bytes([len(reason)]) + reason))
        await eventually(lambda: not broker.reachable)
        assert await broker.publish_claims([a_claim()]) == 0
        proxy.say_to_clients(connection_method(61, b""))
        await eventually(lambda: broker.reachable)
        assert await broker.publish_claims([a_claim()]) == 1


async def test_what_was_sent_before_the_block_is_unknown_and_the_connection_is_kept(
    proxy, broker_prefix, channel, monkeypatch
):
    monkeypatch.setattr(publishing, "EVENT_SECONDS", 0.5)
    async with running_broker(proxy.url, broker_prefix) as broker:
        connections = proxy.accepted
        proxy.black_hole()
        sending = asyncio.create_task(broker.publish_events([an_event()]))
        await asyncio.wait({sending}, timeout=0.1)
        proxy.say_to_clients(connection_method(60, b"\x00"))
        assert await sending == [False]

        proxy.say_to_clients(connection_method(61, b""))
        proxy.heal()
        await eventually(lambda: broker.takes_events)
        assert await broker.publish_events([an_event()]) == [True]
        assert proxy.accepted == connections


def connection_method(method: int, arguments: bytes) -> bytes:
    """A frame of class connection (10) on channel 0: what a broker under an alarm says."""
    payload = struct.pack(">HH", 10, method) + arguments
    return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"
