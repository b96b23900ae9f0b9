"""What somebody sent to the claims queue and nobody could read, looked at and thrown away, over AMQP alone.

One rule: whoever looks gives everything back. Each look has a connection of its own, so that it can hold up neither
claims nor replies nor events.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from infra.rabbitmq.claims import REASON
from infra.rabbitmq.faults import guarded
from infra.rabbitmq.topology import DECLARE_SECONDS, Topology, declare_unreadable
from infra.rabbitmq.transport import Transport

LONGEST_BODY = 4096
_GET_SECONDS = 3.0
_LOOKED_AT = 500
# How often somebody has looked already.
_LOOKS = "x-delivery-count"
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableMessage:
    """One message as it lies in the queue. `body` is text, or base64 where `is_text` is false; `size` is all of it."""

    position: int
    received_at: datetime | None
    reason: str | None
    headers: Mapping[str, str]
    body: str
    is_text: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableMessages:
    """The first messages of the queue, and about how many there are."""

    items: Sequence[UnreadableMessage]
    total: int


class UnreadableQueue:
    """Looks of one process come one after the other: two at once would each see a part."""

    def __init__(self, *, url: str, topology: Topology) -> None:
        self._url = url
        self._topology = topology
        self._lock = asyncio.Lock()

    async def peek(self, limit: int) -> UnreadableMessages:
        """The first messages; they stay where they are.

        Raises:
            Exception: whatever the broker or the way to it had against it.
        """
        async with self._lock, self._opened() as queue:
            # What is given back stands behind what was given back before: order stays where all of it is got.
            got, is_all = await _get(queue, max(limit, _LOOKED_AT))
            if got:
                await guarded(got[-1].nack(multiple=True, requeue=True))
            counted = queue.declaration_result.message_count or 0
        items = [_message(position, message) for position, message in enumerate(got[:limit])]
        return UnreadableMessages(items=items, total=len(got) if is_all else max(counted, len(got)))

    async def discard(self, most: int | None, record: Callable[[int], Awaitable[None]]) -> int:
        """Throw away so many of the first ones (None: all); `record` is told how many before they go, maybe in parts.

        Raises:
            Exception: as `peek`, or what `record` raised; then they stay.
        """
        async with self._lock, self._opened() as queue:
            if most is None:
                await record(queue.declaration_result.message_count or 0)
                return (await guarded(queue.purge(timeout=_GET_SECONDS))).message_count or 0
            left, is_all = most, False
            while left and not is_all:
                got, is_all = await _get(queue, left)
                if got:
                    await record(len(got))
                    await guarded(got[-1].ack(multiple=True))
                    left -= len(got)
        return most - left

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AbstractQueue]:
        transport = await Transport.open(self._url, name="seatline unreadable")
        try:
            channel: AbstractChannel = transport.connection.channel(publisher_confirms=False)
            await channel.initialize()
            await guarded(declare_unreadable(transport.connection, self._topology))
            yield await guarded(
                channel.declare_queue(self._topology.unreadable_queue, passive=True, timeout=DECLARE_SECONDS)
            )
        finally:
            await transport.close()


async def _get(queue: AbstractQueue, most: int) -> tuple[list[AbstractIncomingMessage], bool]:
    """The next messages, as many as fit into memory (whoever sent them may have sent anything); whether that is all."""
    got: list[AbstractIncomingMessage] = []
    while len(got) < most and sum(len(message.body) for message in got) < _MOST_BYTES:
        message = await guarded(queue.get(fail=False, timeout=_GET_SECONDS))
        if message is None:
            return got, True
        got.append(message)
    return got, False


def _message(position: int, message: AbstractIncomingMessage) -> UnreadableMessage:
    headers = {str(name): str(value) for name, value in (message.headers or {}).items()}
    headers.pop(_LOOKS, None)
    body, is_text = _shown(message.body[:LONGEST_BODY])
    return UnreadableMessage(
        position=position,
        received_at=message.timestamp,
        reason=headers.pop(REASON, None),
        headers=headers,
        body=body,
        is_text=is_text,
        size=len(message.body),
    )


def _shown(body: bytes) -> tuple[str, bool]:
    """The bytes as text where they are, with a character that was cut in two left out."""
    try:
        return body.decode(), True
    except UnicodeDecodeError as error:
        if error.start >= LONGEST_BODY - 3 and error.reason == "unexpected end of data":
            return body[: error.start].decode(), True
        return base64.b64encode(body).decode("ascii"), False
