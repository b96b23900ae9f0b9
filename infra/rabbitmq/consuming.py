"""The consuming connection: claims for a worker, replies for an API process.

One rule: a consumer's callback hands over and returns, because a lost connection cancels whatever still runs in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import ChannelNotFoundEntity, ConnectionInternalError

from infra.rabbitmq.acks import Acks, shared_ack
from infra.rabbitmq.claims import DeliveredClaim, UnreadableClaimError, decode_claims, unreadable_copy
from infra.rabbitmq.faults import guarded
from infra.rabbitmq.link import Link, Session
from infra.rabbitmq.replies import decode_reply
from infra.rabbitmq.topology import (
    DECLARE_SECONDS,
    Topology,
    declare_commands,
    declare_replies,
    declare_unreadable,
)

_log = structlog.get_logger(__name__)

CONSUME_SECONDS = 3.0
# A worker has ten seconds to end in, also when the broker hangs.
CANCEL_SECONDS = 1.0
FLUSH_SECONDS = 1.0
KEEP_AGAIN_FIRST_SECONDS = 1.0
KEEP_AGAIN_MOST_SECONDS = 60.0
# A quorum queue whose leader died with the broker soon after it was declared stays without one for good, also where the
# broker starts again, and declaring it again succeeds. Whoever consumes waits in vain, or loses the connection by
# INTERNAL_ERROR. Claims are wake-ups, so a queue that lets nobody consume is thrown away and made anew.
REFUSALS = 2
DELETE_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClaimConsumer:
    on_claim: Callable[[DeliveredClaim], None]
    prefetch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReplyConsumer:
    on_reply: Callable[[Sequence[UUID]], None]
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consumption:
    session: Session
    acks: Acks
    queue: AbstractQueue
    tag: str


class Consuming:
    """Consumes again after every loss; what was delivered and not acked then comes again."""

    def __init__(
        self, *, url: str, topology: Topology, name: str, keep_unreadable: Callable[[Message], Awaitable[bool]]
    ) -> None:
        self._topology = topology
        self._keep_unreadable = keep_unreadable
        self._link = Link(url=url, name=name, prepare=self._prepare)
        self._claims: _ClaimConsumer | None = None
        self._replies: _ReplyConsumer | None = None
        self._consumption: _Consumption | None = None
        self._started = False
        self._refusals = 0

    @property
    def usable(self) -> bool:
        """Whether everything that was asked for is being consumed; true when nothing was."""
        return self._wanted is False or self._link.usable

    def start(self) -> None:
        """Connect as soon as there is something to consume."""
        self._started = True
        self._begin("started")

    def consume_claims(self, on_claim: Callable[[DeliveredClaim], None], *, prefetch: int) -> None:
        """Hand every claim to `on_claim`, out of at most `prefetch` messages that are unacked."""
        self._claims = _ClaimConsumer(on_claim=on_claim, prefetch=prefetch)
        self._begin("claims are consumed from now on")

    def consume_replies(self, on_reply: Callable[[Sequence[UUID]], None]) -> str:
        """Hand every reply to `on_reply`; the name of the queue, the same across reconnections."""
        queue = self._topology.reply_queue(uuid4())
        self._replies = _ReplyConsumer(on_reply=on_reply, queue=queue)
        self._begin("replies are consumed from now on")
        return queue

    async def stop_claims(self) -> None:
        """Take no further claims; those delivered can still be acked."""
        self._claims = None
        consumption = self._consumption
        if consumption is not None and consumption.session.usable:
            try:
                await guarded(consumption.queue.cancel(consumption.tag, timeout=CANCEL_SECONDS))
            except Exception as error:  # noqa: BLE001 - the end of the session stops the delivery just as well
                consumption.session.end(repr(error))

    async def stop(self) -> None:
        """Send the acks that are due, then close."""
        consumption = self._consumption
        if consumption is not None and consumption.session.usable:
            try:
                async with asyncio.timeout(FLUSH_SECONDS):
                    await guarded(consumption.acks.flush())
            except Exception as error:  # noqa: BLE001 - what is not acked comes again
                _log.info("broker.acks_lost", error=repr(error))
        await self._link.stop()

    @property
    def _wanted(self) -> bool:
        return self._claims is not None or self._replies is not None

    def _begin(self, reason: str) -> None:
        if self._started and self._wanted:
            self._link.renew(reason)
            self._link.start()

    async def _prepare(self, session: Session) -> None:
        if self._replies is not None:
            await self._prepare_replies(session, self._replies)
        if self._claims is not None:
            await self._prepare_claims(session, self._claims)

    async def _prepare_replies(self, session: Session, consumer: _ReplyConsumer) -> None:
        async def on_message(message: AbstractIncomingMessage) -> None:
            consumer.on_reply(decode_reply(message.body))

        channel = await self._channel(session)
        queue = await declare_replies(channel, consumer.queue)
        await queue.consume(on_message, no_ack=True, timeout=CONSUME_SECONDS)

    async def _prepare_claims(self, session: Session, consumer: _ClaimConsumer) -> None:
        channel = await self._channel(session)
        await channel.set_qos(prefetch_count=consumer.prefetch, timeout=DECLARE_SECONDS)
        if self._refusals >= REFUSALS and not await self._is_consumed(session):
            await self._throw_queue_away(session)
        await declare_unreadable(session.transport.connection, self._topology)
        queue = await declare_commands(channel, self._topology)
        acks = Acks(await channel.get_underlay_channel())
        session.attach(acks.run())

        async def on_message(message: AbstractIncomingMessage) -> None:
            self._deliver(session, acks, consumer, message)

        try:
            tag = await queue.consume(on_message, timeout=CONSUME_SECONDS)
        except (TimeoutError, ConnectionInternalError):
            self._refusals += 1
            raise
        self._refusals = 0
        self._consumption = _Consumption(session=session, acks=acks, queue=queue, tag=tag)

    async def _is_consumed(self, session: Session) -> bool:
        """Whether another worker takes claims from it: it was made anew meanwhile, and may hold what is unreadable."""
        channel = session.transport.connection.channel(publisher_confirms=False)
        await channel.initialize()
        try:
            queue = await channel.declare_queue(self._topology.commands_queue, passive=True, timeout=DECLARE_SECONDS)
        except ChannelNotFoundEntity:
            return False
        await channel.close()
        return bool(queue.declaration_result.consumer_count)

    async def _throw_queue_away(self, session: Session) -> None:
        channel = session.transport.connection.channel(publisher_confirms=False)
        await channel.initialize()
        _log.warning("broker.claims_queue_replaced", queue=self._topology.commands_queue, refusals=self._refusals)
        await channel.queue_delete(self._topology.commands_queue, timeout=DELETE_SECONDS)
        await channel.close()
        self._refusals = 0

    async def _channel(self, session: Session) -> AbstractChannel:
        channel = session.transport.connection.channel(publisher_confirms=False)
        await channel.initialize()
        channel.close_callbacks.add(lambda *_: session.end("channel closed"))
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: session.end("consumer cancelled by the broker"))
        return channel

    def _deliver(
        self, session: Session, acks: Acks, consumer: _ClaimConsumer, message: AbstractIncomingMessage
    ) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            claims = decode_claims(message.body)
        except UnreadableClaimError as error:
            session.attach(self._move(acks, tag, unreadable_copy(message, str(error))))
            return
        for claim, ack in zip(claims, shared_ack(partial(acks.done, tag), len(claims)), strict=True):
            self._hand_over(consumer, DeliveredClaim(claim=claim, ack=ack))

    def _hand_over(self, consumer: _ClaimConsumer, delivered: DeliveredClaim) -> None:
        try:
            consumer.on_claim(delivered)
        except Exception:  # noqa: BLE001 - the callback is the caller's
            # The poll covers what could not be handed over; redelivering it at once would only turn in circles.
            _log.exception("broker.claim_not_taken", operation_id=str(delivered.claim.operation_id))
            delivered.ack()

    async def _move(self, acks: Acks, tag: int, copy: Message) -> None:
        _log.warning("broker.claim_unreadable", size=len(copy.body))
        delay = KEEP_AGAIN_FIRST_SECONDS
        while not await self._keep_unreadable(copy):
            await asyncio.sleep(delay)
            delay = min(delay * 2, KEEP_AGAIN_MOST_SECONDS)
        acks.done(tag)
