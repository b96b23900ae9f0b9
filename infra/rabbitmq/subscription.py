"""A subscriber's side of the events: an exclusive queue of its own, for as long as somebody looks.

One rule: what is published while the connection is down is not heard, so every new connection is told to the reader,
who fills the gap from the log.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from aio_pika.abc import AbstractIncomingMessage

from infra.rabbitmq.acks import Acks
from infra.rabbitmq.link import Link, Session
from infra.rabbitmq.topology import DECLARE_SECONDS, Topology, declare_subscription

PREFETCH = 100


@dataclass(frozen=True, slots=True)
class Connected:
    """From here on everything is heard; what was published before may not have been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """The body of one message, and its acknowledgement."""

    body: bytes
    ack: Callable[[], None]


class Subscription:
    """Hears the events whose routing keys match, and connects again by itself."""

    def __init__(self, *, url: str, prefix: str, keys: Sequence[str], connection_name: str) -> None:
        self._topology = Topology(prefix=prefix)
        self._keys = list(keys)
        self._arrivals: asyncio.Queue[Connected | ReceivedMessage] = asyncio.Queue()
        self._link = Link(url=url, name=connection_name, prepare=self._prepare)

    async def start(self) -> None:
        """Connect in the background."""
        self._link.start()

    async def stop(self) -> None:
        """Close the connection; the queue goes with it."""
        await self._link.stop()

    async def next(self) -> Connected | ReceivedMessage:
        """Wait for a message, or for word of a new connection."""
        return await self._arrivals.get()

    async def _prepare(self, session: Session) -> None:
        channel = session.transport.connection.channel(publisher_confirms=False)
        await channel.initialize()
        channel.close_callbacks.add(lambda *_: session.end("channel closed"))
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: session.end("consumer cancelled by the broker"))
        await channel.set_qos(prefetch_count=PREFETCH, timeout=DECLARE_SECONDS)
        queue = await declare_subscription(channel, self._topology, self._keys)
        acks = Acks(underlay)
        session.attach(acks.run())
        self._arrivals.put_nowait(Connected())

        async def on_message(message: AbstractIncomingMessage) -> None:
            ack = partial(acks.done, message.delivery_tag or 0)
            self._arrivals.put_nowait(ReceivedMessage(body=message.body, ack=ack))

        await queue.consume(on_message, timeout=DECLARE_SECONDS)
