"""A burst as it goes into the connection's write queue: its frames, its tags, and what is left when it does not go."""

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager

import pytest
from aiormq import spec
from aiormq.exceptions import ChannelInvalidStateError
from pamqp.body import ContentBody
from pamqp.frame import unmarshal
from pamqp.header import ContentHeader

from infra.rabbitmq.burst import Burst, Outgoing, of_message
from infra.rabbitmq.claims import encode_claims
from infra.rabbitmq.events import EventMessage, encode_message
from tests.unit.test_claims import CLAIM

MOST = 1_000


class Channel:
    """What a burst needs of aiormq's channel, with a write queue that takes so many parts and sends nothing."""

    def __init__(self, *, parts, most=MOST):
        self.number = 3
        self.is_closed = False
        self.max_content_size = most
        self.delivery_tag = 0
        self.confirmations = OrderedDict()
        self.message_id_delivery_tag = {}
        self.write_queue = asyncio.Queue(maxsize=parts)
        self._taken = asyncio.Lock()

    @property
    @asynccontextmanager
    async def lock(self):
        async with self._taken:
            yield

    async def get_underlay_channel(self):
        return self

    def create_future(self):
        return asyncio.get_running_loop().create_future()

    def sent(self):
        """The frames of the next part, which the socket now takes."""
        part = self.write_queue.get_nowait()
        part.drain_future.set_result(None)
        rest, frames = part.payload, []
        while rest:
            size, number, frame = unmarshal(rest)
            assert number == self.number
            frames.append(frame)
            rest = rest[size:]
        return frames


def a_message(body=b"[]", key="demo.user.updated"):
    return encode_message(
        EventMessage(message_id="demo-1", routing_key=key, body=body, headers={"first_sequence": "1"})
    )


async def written(channel, burst, messages):
    """The frames of each part of the burst, written to its end."""
    writing, parts = asyncio.create_task(burst.write(channel, messages)), []
    while not writing.done():
        await asyncio.sleep(0)
        if not channel.write_queue.empty():
            parts.append(channel.sent())
    await writing
    return parts


async def test_a_message_is_its_routing_its_properties_and_its_body_in_frames_that_the_broker_takes():
    channel, body = Channel(parts=1), bytes(range(250)) * 10
    [[publish, header, *bodies]] = await written(channel, Burst("events", mandatory=False), [a_message(body)])
    assert (publish.exchange, publish.routing_key, publish.mandatory) == ("events", "demo.user.updated", False)
    assert isinstance(header, ContentHeader)
    assert header.body_size == len(body)
    assert header.properties == spec.Basic.Properties(
        content_type="application/cloudevents-batch+json",
        headers={"first_sequence": "1"},
        delivery_mode=2,
        message_id="demo-1",
    )
    assert all(isinstance(frame, ContentBody) for frame in bodies)
    assert [len(frame.value) for frame in bodies] == [MOST, MOST, 500]
    assert b"".join(frame.value for frame in bodies) == body


async def test_a_body_goes_in_one_frame_where_the_broker_has_no_limit():
    body = bytes(range(250)) * 10
    [[_, _, *bodies]] = await written(Channel(parts=1, most=-8), Burst("events", mandatory=False), [a_message(body)])
    assert [frame.value for frame in bodies] == [body]


async def test_a_body_that_is_empty_has_no_frame():
    [[_, header]] = await written(Channel(parts=1), Burst("events", mandatory=False), [a_message(b"")])
    assert header.body_size == 0


async def test_many_messages_go_in_few_parts_in_their_order_and_have_the_next_tags():
    channel, burst = Channel(parts=1), Burst("events", mandatory=False)
    channel.delivery_tag = 7
    keys = [f"demo.user.{place}" for place in range(5)]
    parts = await written(channel, burst, [a_message(b"x" * 60_000, key) for key in keys])
    assert [[frame.routing_key for frame in part if isinstance(frame, spec.Basic.Publish)] for part in parts] == [
        keys[:3],
        keys[3:],
    ]
    assert list(channel.confirmations.items()) == list(zip(range(8, 13), burst.confirms, strict=True))


async def test_what_does_not_get_into_the_queue_takes_no_tag():
    channel, burst = Channel(parts=1), Burst("events", mandatory=False)
    channel.write_queue.put_nowait("what is ahead")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await burst.write(channel, [a_message()])
    assert (channel.delivery_tag, channel.confirmations, burst.confirms) == (0, {}, [])


async def test_what_got_into_the_queue_keeps_its_tag_though_nobody_waits_for_the_socket():
    channel, burst = Channel(parts=1), Burst("events", mandatory=False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await burst.write(channel, [a_message(), a_message()])
    assert channel.delivery_tag == 2
    assert list(channel.confirmations.values()) == burst.confirms


async def test_a_channel_that_has_closed_meanwhile_is_given_nothing_more():
    channel, burst = Channel(parts=1), Burst("events", mandatory=False)

    async def close_behind_the_first():
        first = await channel.write_queue.get()
        channel.is_closed = True
        first.drain_future.set_result(None)

    with pytest.raises(ChannelInvalidStateError):
        await asyncio.gather(burst.write(channel, [a_message(b"x" * 200_000)] * 2), close_behind_the_first())
    assert (len(burst.confirms), channel.delivery_tag, channel.write_queue.empty()) == (1, 1, True)
    async with asyncio.timeout(1), channel.lock:
        pass


async def test_a_message_that_may_come_back_is_known_by_its_id_until_it_is_confirmed():
    channel, burst = Channel(parts=1), Burst("commands", mandatory=True)
    claims = of_message(encode_claims([CLAIM]), "claims")
    await written(channel, burst, [claims])
    assert channel.message_id_delivery_tag == {claims.properties.message_id: 1}
    burst.confirms[0].set_result(None)
    await asyncio.sleep(0)
    assert channel.message_id_delivery_tag == {}


def test_a_message_of_aio_pikas_goes_with_its_own_id_or_with_one_that_no_other_has():
    message = encode_claims([CLAIM])
    first, second = (of_message(message, "claims").properties.message_id for _ in range(2))
    assert first != second
    message.message_id = "mine"
    assert of_message(message, "claims") == Outgoing(
        body=message.body, properties=message.properties, routing_key="claims"
    )
