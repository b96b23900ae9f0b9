"""Writes many messages to a confirm channel together; aio-pika publishes them one by one.

One rule: a message takes its delivery tag at the moment it lies in the connection's write queue, under the channel's
lock. What fails before that has changed nothing, and what fails after it may have been sent.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, cast
from uuid import uuid4

from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aiormq import spec
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import ChannelInvalidStateError
from pamqp.body import ContentBody
from pamqp.frame import marshal
from pamqp.header import ContentHeader

# So much goes to the socket before anything else may: a reply or a heartbeat of the connection waits for it.
_PART_BYTES = 128 * 1024

Confirm: TypeAlias = asyncio.Future[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message as it goes over the wire, and the routing key it takes."""

    body: bytes
    properties: spec.Basic.Properties
    routing_key: str


def of_message(message: Message, routing_key: str) -> Outgoing:
    """One of aio-pika's messages; a message that has no id gets one, by which it is known if it comes back."""
    properties = message.properties
    properties.message_id = properties.message_id or uuid4().hex
    return Outgoing(body=message.body, properties=properties, routing_key=routing_key)


class Burst:
    """One publication of many messages; `confirms` has one future for each message that was written, in order.

    A confirm ends with the broker's frame, or with the exception that aiormq has for a message: a nack, a return, a
    closed channel.
    """

    def __init__(self, exchange: str, *, mandatory: bool) -> None:
        self.confirms: list[Confirm] = []
        self._exchange = exchange
        self._mandatory = mandatory

    async def write(self, channel: AbstractChannel, messages: Sequence[Outgoing]) -> None:
        """Write all of them, a part at a time, each when the socket has taken the one before.

        Raises:
            Exception: whatever ended the channel.
        """
        underlay = cast("Channel", await channel.get_underlay_channel())
        async with underlay.lock:
            for part in _parts(messages):
                await self._write(underlay, part)

    async def _write(self, channel: Channel, part: Sequence[Outgoing]) -> None:
        if channel.is_closed:  # it may have been, since the part before
            raise ChannelInvalidStateError(f"{channel!r} closed")
        payload = b"".join(chain.from_iterable(self._frames(channel, outgoing) for outgoing in part))
        drained = channel.create_future()
        try:
            await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False, drain_future=drained))
        except BaseException:
            drained.cancel()
            raise
        for outgoing in part:
            channel.delivery_tag += 1
            confirm = channel.confirmations[channel.delivery_tag] = channel.create_future()
            if self._mandatory:
                _may_return(channel, str(outgoing.properties.message_id), confirm)
            self.confirms.append(confirm)
        await drained

    def _frames(self, channel: Channel, outgoing: Outgoing) -> Iterator[bytes]:
        number, body = channel.number, outgoing.body
        # A broker that has no limit says 0, less the frame's own bytes.
        most = channel.max_content_size if channel.max_content_size > 0 else max(len(body), 1)
        publish = spec.Basic.Publish(
            exchange=self._exchange, routing_key=outgoing.routing_key, mandatory=self._mandatory
        )
        yield marshal(publish, number)
        yield marshal(ContentHeader(properties=outgoing.properties, body_size=len(body)), number)
        for first in range(0, len(body), most):
            yield marshal(ContentBody(body[first : first + most]), number)


def _may_return(channel: Channel, message_id: str, confirm: Confirm) -> None:
    """A message comes back without a tag; aiormq finds the confirm of the last one written by the message's id."""
    tags, tag = channel.message_id_delivery_tag, channel.delivery_tag

    def forget(_: Confirm) -> None:
        if tags.get(message_id) == tag:
            del tags[message_id]

    tags[message_id] = tag
    confirm.add_done_callback(forget)


def _parts(messages: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    part: list[Outgoing] = []
    size = 0
    for outgoing in messages:
        part.append(outgoing)
        size += len(outgoing.body)
        if size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
