"""The relay between a real outbox and a real exchange: in order, at least once, by one leader."""

import asyncio
import time

import pytest

from infra.postgres.database import Database
from tests.support.brokers import outside_channel, running_broker
from tests.support.outbox import firsts, outbox_of, subscribed
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually, taken
from workers.relay import Relay


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def arrived(channel, broker_prefix):
    return await subscribed(channel, broker_prefix, "#")


@pytest.fixture
async def outbox(database_url):
    async with outbox_of(database_url) as outbox:
        yield outbox


@pytest.fixture
async def database(database_url):
    database = Database(database_url, size=4)
    yield database
    await database.close()


@pytest.fixture
async def proxy(amqp_url):
    async with TcpProxy(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def broker(proxy, broker_prefix, channel):
    async with running_broker(proxy.url, broker_prefix) as broker:
        yield broker


@pytest.fixture
async def relay(database, broker):
    relay = Relay(database=database, broker=broker)
    yield relay
    await relay.stop()


async def heard(arrived, bodies, *before):
    """All that has arrived, those `before` it included, once these have: each for the first time in this order."""
    received = list(before)
    while (new := firsts(received)) != bodies:
        assert new == bodies[: len(new)]
        received += [message.body for message in await taken(arrived, 1)]
    return received


async def test_what_was_pending_before_the_start_is_published_in_order_and_marked(relay, outbox, arrived):
    places = [(tenant, sequence) for sequence in range(1, 301) for tenant in (1, 2)]
    bodies = await outbox.add(*places)

    await relay.start()
    await outbox.drained()

    assert [message.body for message in await taken(arrived, 600)] == bodies
    assert arrived.empty()


async def test_a_commit_elsewhere_is_published_soon_and_one_here_at_once(relay, outbox, arrived):
    await relay.start()
    await eventually(lambda: relay.leads)

    await outbox.add((1, 1))
    await taken(arrived, 1, seconds=1.0)
    await outbox.drained()

    waits = []
    for sequence in range(2, 12):
        await outbox.add((1, sequence))
        started = time.monotonic()
        relay.wake()
        await taken(arrived, 1)
        waits.append(time.monotonic() - started)
    assert sorted(waits)[5] < 0.05


async def test_a_message_larger_than_a_batch_is_published_too(relay, outbox, arrived):
    bodies = await outbox.add((1, 1), (1, 2), size=9 * 1024 * 1024)
    await relay.start()
    assert [message.body for message in await taken(arrived, 2)] == bodies


async def test_a_connection_lost_in_a_batch_repeats_messages_but_never_turns_them_round(relay, outbox, proxy, arrived):
    bodies = await outbox.add(*((1, sequence) for sequence in range(1, 401)), size=2_000)

    proxy.withhold_answers()
    await relay.start()
    received = await heard(arrived, bodies[:1])
    proxy.cut()  # that one message, at least, has arrived and is not confirmed
    proxy.reset_after(300_000)
    await eventually(lambda: proxy.has_reset)
    await outbox.drained()

    received = await heard(arrived, bodies, *received)
    while received.count(bodies[0]) == 1:
        received += [message.body for message in await taken(arrived, 1)]


async def test_a_broker_that_was_away_gets_everything_later(relay, outbox, proxy, arrived, broker):
    await relay.start()
    await eventually(lambda: relay.leads)
    proxy.cut(refuse=True)
    await eventually(lambda: not broker.takes_events)
    bodies = await outbox.add(*((1, sequence) for sequence in range(1, 21)))
    assert await outbox.pending() == 20

    proxy.heal()
    await outbox.drained()
    assert [message.body for message in await taken(arrived, 20)] == bodies


async def test_a_subscriber_that_rejects_one_tenants_messages_does_not_hold_up_the_others(
    relay, outbox, channel, broker_prefix
):
    full = await channel.declare_queue(exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    await full.bind(f"{broker_prefix}.events", routing_key="t1.#")
    arrived = await subscribed(channel, broker_prefix, "t2.#")
    *_, before = await outbox.add((1, 1), (1, 2), (1, 3), (2, 1))
    await relay.start()
    received = await heard(arrived, [before])

    bodies = await outbox.add((2, 2), (2, 3))
    await heard(arrived, [before, *bodies], *received)
    await channel.queue_delete(full.name)
    await outbox.drained()


async def test_one_of_two_relays_leads_and_the_other_takes_over_when_it_stops(database, outbox, broker, arrived):
    relays = [Relay(database=database, broker=broker) for _ in range(2)]
    for relay in relays:
        await relay.start()
        await relay.start()
    await eventually(lambda: any(relay.leads for relay in relays))
    bodies = await outbox.add((1, 1))
    assert [message.body for message in await taken(arrived, 1)] == bodies
    leader, other = sorted(relays, key=lambda relay: not relay.leads)
    assert not other.leads

    await leader.stop()
    await eventually(lambda: other.leads)
    bodies = await outbox.add((1, 2))
    assert [message.body for message in await taken(arrived, 1)] == bodies
    await other.stop()
    await other.stop()
    assert not other.leads


async def test_a_leader_whose_session_ends_stops_leading_and_somebody_leads_again(database, outbox, broker, arrived):
    relays = [Relay(database=database, broker=broker) for _ in range(2)]
    for relay in relays:
        await relay.start()
    await eventually(lambda: sum(relay.leads for relay in relays) == 1)
    leader = next(relay for relay in relays if relay.leads)

    await outbox.end_leader()
    await eventually(lambda: not leader.leads)
    await eventually(lambda: sum(relay.leads for relay in relays) == 1)

    bodies = await outbox.add((1, 1))
    assert [message.body for message in await taken(arrived, 1)] == bodies
    async with asyncio.timeout(10):
        for relay in relays:
            await relay.stop()


async def test_a_second_publication_equals_the_first_to_the_byte(relay, outbox, arrived):
    await outbox.add((1, 1))
    await relay.start()
    [first] = await taken(arrived, 1)
    await outbox.drained()
    await outbox.forget_publication()
    [second] = await taken(arrived, 1)
    assert first.body == second.body
    assert first.properties.marshal() == second.properties.marshal()
