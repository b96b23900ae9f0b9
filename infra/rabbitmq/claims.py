"""Claims: the wake-ups from whoever accepted an operation to the workers, and their acknowledgement.

One rule: this is the only place that knows the wire format of a claim, and the only one that acks.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage
from aiormq.abc import AbstractChannel as UnderlayChannel

_VERSION = 1


class UnreadableClaimError(ValueError):
    """A message on the claims queue that is no claim of a version known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The tenant that has something to do, and the operation that was accepted. Never the payload."""

    tenant_id: int
    operation_id: UUID
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredClaim:
    """A claim and its acknowledgement, which may be called late, twice and in any order."""

    claim: Claim
    ack: Callable[[], None]


def encode_claim(claim: Claim) -> Message:
    """The persistent message of one claim."""
    body = {
        "v": _VERSION,
        "tenant_id": claim.tenant_id,
        "operation_id": str(claim.operation_id),
        "request_id": claim.request_id,
        "traceparent": claim.traceparent,
    }
    return Message(
        json.dumps(body, separators=(",", ":")).encode(),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        type="seatline.claim",
    )


def decode_claim(body: bytes) -> Claim:
    """Read the body of a claim; fields that are not known are left aside.

    Raises:
        UnreadableClaimError: it is not JSON, of another version, or lacks a field.
    """
    try:
        fields = json.loads(body)
        if fields["v"] != _VERSION:
            raise UnreadableClaimError(f"version {fields['v']!r}")
        return Claim(
            tenant_id=_whole(fields["tenant_id"]),
            operation_id=UUID(fields["operation_id"]),
            request_id=_text(fields.get("request_id")),
            traceparent=_text(fields.get("traceparent")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableClaimError(repr(error)) from error


def unreadable_copy(message: AbstractIncomingMessage, reason: str) -> Message:
    """What is kept of a message that could not be decoded: its bytes, and why."""
    return Message(
        message.body,
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={"x-seatline-reason": reason[:500]},
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("tenant_id is not an integer")
    return value


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("not a string")
    return value


class Acks:
    """Acknowledges the deliveries of one channel in as few frames as possible.

    Tags count up from 1 on a channel. Everything up to the first tag that is still at work goes with one
    `multiple` ack; what is done beyond it goes one by one, so that a slow tenant does not use up the prefetch window.
    """

    def __init__(self, channel: UnderlayChannel) -> None:
        self._channel = channel
        self._prefix = 0
        self._new: set[int] = set()
        self._beyond: set[int] = set()
        self._changed = asyncio.Event()
        self._closed = False

    def done(self, tag: int) -> None:
        """Note that the delivery is dealt with; a second note, or one for a channel that is gone, changes nothing."""
        if not self._closed and tag > self._prefix and tag not in self._beyond:
            self._new.add(tag)
            self._changed.set()

    def close(self) -> None:
        """Forget everything: the broker delivers again what was not acked on a channel that ended."""
        self._closed = True
        self._new.clear()

    async def run(self) -> None:
        """Send acks as they become due, until cancelled or the channel ends."""
        while True:
            await self._changed.wait()
            await self.flush()

    async def flush(self) -> None:
        """Send every ack that is due now."""
        self._changed.clear()
        together, singles = self._take()
        if together is not None:
            await self._channel.basic_ack(together, multiple=True, wait=False)
        for tag in singles:
            await self._channel.basic_ack(tag, wait=False)

    def _take(self) -> tuple[int | None, list[int]]:
        """The tag to ack together with all before it, and the tags to ack alone.

        The broker refuses a `multiple` ack of a tag that it no longer knows, so it names the last *new* tag of the
        unbroken run, not a later one that was acked alone.
        """
        together: int | None = None
        while (following := self._prefix + 1) in self._new or following in self._beyond:
            self._prefix = following
            if following in self._new:
                together = following
        self._new = {tag for tag in self._new if tag > self._prefix}
        self._beyond = {tag for tag in self._beyond if tag > self._prefix} | self._new
        singles = sorted(self._new)
        self._new = set()
        return together, singles
