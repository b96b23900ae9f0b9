"""The publishing connection: claims, replies and events, each on a channel of its own.

One rule: nothing is published on the connection that consumes, because an alarm stops whatever shares a connection with
a publisher.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractChannel

from infra.rabbitmq.burst import of_message
from infra.rabbitmq.claims import TOGETHER, Claim, encode_claims
from infra.rabbitmq.events import EventMessage, encode_message
from infra.rabbitmq.faults import guarded
from infra.rabbitmq.link import Link, Session
from infra.rabbitmq.publisher import Publisher
from infra.rabbitmq.replies import encode_reply
from infra.rabbitmq.topology import Topology, declare_commands, declare_events, declare_unreadable

_log = structlog.get_logger(__name__)

CLAIM_SECONDS = 2.0
REPLY_SECONDS = 1.0
DEPTH_SECONDS = 1.0
EVENT_SECONDS = 10.0
# A queue that lost its leader for good must not keep the events back; it is asked for again this often.
REDECLARE_SECONDS = 10.0
_DEFAULT_EXCHANGE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """Messages that are ready in a queue, each of which may hold many claims; what a worker holds already is not."""

    claims: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commands:
    claims: Publisher
    unreadable: Publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channels:
    session: Session
    events: Publisher
    replies: AbstractChannel
    commands: _Commands | None


class Publishing:
    """Publishes in bounded time, and never raises for a fault of the broker."""

    def __init__(self, *, url: str, topology: Topology, name: str) -> None:
        self._topology = topology
        self._link = Link(url=url, name=name, prepare=self._prepare)
        self._channels: _Channels | None = None
        self.start = self._link.start
        self.stop = self._link.stop

    @property
    def usable(self) -> bool:
        """Whether a claim published now is likely to arrive."""
        channels = self._usable_channels()
        return channels is not None and channels.commands is not None

    @property
    def takes_events(self) -> bool:
        """Whether the exchange of the events stands, whatever is wrong with the queue of the claims."""
        return self._usable_channels() is not None

    async def claims(self, claims: Sequence[Claim]) -> int:
        """Publish claims, several to a message; the number that was confirmed in time."""
        channels = self._usable_channels()
        if channels is None or channels.commands is None:
            return 0
        messages = [claims[first : first + TOGETHER] for first in range(0, len(claims), TOGETHER)]
        outgoing = [of_message(encode_claims(part), self._topology.claim_key) for part in messages]
        confirmed = await channels.commands.claims.publish(outgoing, seconds=CLAIM_SECONDS)
        return sum(len(part) for part, is_confirmed in zip(messages, confirmed, strict=True) if is_confirmed)

    async def unreadable(self, message: Message) -> bool:
        """Keep a message that could not be decoded; whether that is certain."""
        channels = self._usable_channels()
        if channels is None or channels.commands is None:
            return False
        outgoing = of_message(message, self._topology.unreadable_queue)
        return all(await channels.commands.unreadable.publish([outgoing], seconds=CLAIM_SECONDS))

    async def events(self, messages: Sequence[EventMessage]) -> list[bool]:
        """Publish in order; which were confirmed. What was not is unknown and may still arrive."""
        channels = self._usable_channels()
        if channels is None:
            return [False] * len(messages)
        return await channels.events.publish([encode_message(one) for one in messages], seconds=EVENT_SECONDS)

    async def replies(self, replies: Mapping[str, Sequence[UUID]]) -> None:
        """Send the ids to the reply queues; whichever queue is gone hears nothing, and that is no error."""
        channels = self._usable_channels()
        if channels is None:
            return
        exchange = channels.replies.default_exchange
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                for queue, operations in replies.items():
                    await guarded(exchange.publish(encode_reply(operations), routing_key=queue, mandatory=False))
        except Exception as error:  # noqa: BLE001 - a reply is a hint; its reader polls
            _log.info("broker.replies_lost", error=repr(error), queues=len(replies))

    async def depths(self) -> Depths | None:
        """How deep the queues are, asked on a channel of its own: one that is missing closes it."""
        channels = self._usable_channels()
        if channels is None:
            return None
        try:
            async with asyncio.timeout(DEPTH_SECONDS):
                return await guarded(self._ask_depths(channels.session.transport.connection.channel()))
        except Exception as error:  # noqa: BLE001 - a queue that is missing, an alarm, a broker that is going
            _log.debug("broker.depths_unknown", error=repr(error))
            return None

    async def _ask_depths(self, channel: AbstractChannel) -> Depths:
        async with channel:
            return Depths(
                claims=await _ready(channel, self._topology.commands_queue),
                unreadable=await _ready(channel, self._topology.unreadable_queue),
            )

    def _usable_channels(self) -> _Channels | None:
        channels = self._channels
        return channels if channels is not None and channels.session.usable else None

    async def _prepare(self, session: Session) -> None:
        connection = session.transport.connection
        events = await _opened(session, connection.channel())
        await declare_events(events, self._topology)
        exchange = self._topology.events_exchange
        self._channels = _Channels(
            session=session,
            events=Publisher(channel=events, exchange=exchange, mandatory=False, on_doubt=session.doubt),
            replies=await _opened(session, connection.channel(publisher_confirms=False)),
            commands=await self._prepare_commands(session),
        )

    async def _prepare_commands(self, session: Session) -> _Commands | None:
        channel = session.transport.connection.channel(on_return_raises=True)
        await channel.initialize()
        try:
            await declare_unreadable(session.transport.connection, self._topology)
            await declare_commands(channel, self._topology)
        except Exception as error:
            if not session.usable:
                raise
            # Whatever is wrong with the queue, events and replies go on.
            _log.exception("broker.claims_queue_unusable", error=repr(error), retry_in=REDECLARE_SECONDS)
            asyncio.get_running_loop().call_later(REDECLARE_SECONDS, session.end, "asking for the queue again")
            return None
        channel.close_callbacks.add(lambda *_: session.end("channel closed"))
        publisher = partial(Publisher, channel=channel, mandatory=True, on_doubt=session.doubt)
        return _Commands(
            claims=publisher(exchange=self._topology.commands_exchange),
            unreadable=publisher(exchange=_DEFAULT_EXCHANGE),
        )


async def _opened(session: Session, channel: AbstractChannel) -> AbstractChannel:
    await channel.initialize()
    channel.close_callbacks.add(lambda *_: session.end("channel closed"))
    return channel


async def _ready(channel: AbstractChannel, queue: str) -> int:
    # Not a robust channel, whose passive declaration would repeat the first answer.
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0
