"""The spans of a worker: claims taken, operations applied in passes and chunks, events published.

One rule: a pass serves whoever is in it; it stands below an operation only where that operation was alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.continuations import Continuation
from infra.postgres.outbox_relay import PendingMessage
from infra.postgres.passes import OpenOperation
from infra.rabbitmq.claims import DeliveredClaim
from infra.rabbitmq.topology import Topology
from infra.tracing.work import Kind, Span, Tracer, Work, good_traceparent, now
from workers.passes import Pass
from workers.ready import Ack

# No data has such a field, and text within data cannot hold a bare quote.
_OF_EVENT = re.compile(rb'"traceparent":"([0-9a-f-]{55})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedAck:
    """A claim's acknowledgement that remembers which claim it is of, and when that came."""

    ack: Ack
    operation_id: UUID
    tenant_id: int
    traceparent: str
    taken: int

    def __call__(self) -> None:
        """Acknowledge."""
        self.ack()


def traced_ack(delivered: DeliveredClaim) -> Ack:
    """The claim's acknowledgement; one whose claim is of no trace stays as it is."""
    traceparent = good_traceparent(delivered.claim.traceparent)
    if traceparent is None:
        return delivered.ack
    return TracedAck(
        ack=delivered.ack,
        operation_id=delivered.claim.operation_id,
        tenant_id=delivered.claim.tenant_id,
        traceparent=traceparent,
        taken=now(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the relay has published in one batch, and which of it was confirmed."""

    messages: Sequence[PendingMessage]
    confirmed: Sequence[bool]
    publishing: Work


class WorkerSpans:
    """What one worker tells its tracer."""

    def __init__(self, tracer: Tracer, *, prefix: str) -> None:
        self._tracer = tracer
        topology = Topology(prefix=prefix)
        self._claims, self._events = topology.commands_queue, topology.events_exchange

    def passed(self, this: Pass, transaction: Work, acks: Sequence[Ack]) -> None:
        """A pass is over, and its claims are acknowledged."""
        below = self._processed([ack for ack in acks if isinstance(ack, TracedAck)])
        served = [
            Span(
                name=f"apply {operation.kind}",
                parent=below.get(operation.id, operation.traceparent),
                began=transaction.began,
                ended=transaction.ended,
                attributes=_of_operation(operation),
                error=transaction.error,
            )
            for operation in this.selection.operations
            if operation.traceparent is not None
        ]
        sizes = {"seatline.operations": len(this.selection.operations), "seatline.tenants": len(this.selection.taken)}
        self._tracer.work("pass", transaction, served, sizes)

    def continued(self, of: Continuation, touched: int, transaction: Work) -> None:
        """A chunk is over."""
        if of.traceparent is not None:
            chunk = Span(
                name=f"continue {of.kind.value}",
                parent=of.traceparent,
                began=transaction.began,
                ended=transaction.ended,
                attributes={
                    "seatline.tenant_id": of.tenant_id,
                    "seatline.operation_id": str(of.operation_id),
                    "seatline.rows": touched,
                },
            )
            self._tracer.work("chunk", transaction, [chunk], {})

    def published(self, sent: Sent, batch: Work) -> None:
        """A batch of the relay is over."""
        served = [
            Span(
                name=f"publish {self._events}",
                parent=parent,
                began=sent.publishing.began,
                ended=sent.publishing.ended,
                kind=Kind.PRODUCER,
                attributes=self._of_message(message),
                error=None if is_confirmed else "unconfirmed",
            )
            for message, is_confirmed in zip(sent.messages, sent.confirmed, strict=True)
            for parent in _traceparents_of(message.body)
        ]
        self._tracer.work("relay", batch, served, {"seatline.messages": len(sent.messages)})

    def _processed(self, acks: Sequence[TracedAck]) -> Mapping[UUID, str]:
        """A span for each claim from its delivery until now; by operation, what its application stands below."""
        ended = now()
        return {
            ack.operation_id: self._tracer.add(
                Span(
                    name=f"process {self._claims}",
                    parent=ack.traceparent,
                    began=ack.taken,
                    ended=ended,
                    kind=Kind.CONSUMER,
                    attributes={
                        "messaging.system": "rabbitmq",
                        "messaging.destination.name": self._claims,
                        "messaging.operation.name": "process",
                        "messaging.operation.type": "process",
                        "seatline.tenant_id": ack.tenant_id,
                        "seatline.operation_id": str(ack.operation_id),
                    },
                )
            )
            for ack in acks
        }

    def _of_message(self, message: PendingMessage) -> dict[str, str | int]:
        _, _, event_type = message.routing_key.partition(".")
        return {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": self._events,
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.rabbitmq.destination.routing_key": message.routing_key,
            "messaging.message.body.size": len(message.body),
            "seatline.tenant_id": message.tenant_id,
            "seatline.event_type": event_type,
            "seatline.first_sequence": message.first_sequence,
            "seatline.last_sequence": message.last_sequence,
        }


def _of_operation(operation: OpenOperation) -> dict[str, str | int]:
    return {
        "seatline.tenant_id": operation.tenant_id,
        "seatline.operation_id": str(operation.id),
        "seatline.kind": operation.kind,
        "seatline.items": operation.items,
        "seatline.attempts": operation.attempts,
    }


def _traceparents_of(body: bytes) -> list[str]:
    """Each once: a message may tell of several operations."""
    found = dict.fromkeys(_OF_EVENT.findall(body))
    return [good for text in found if (good := good_traceparent(text.decode())) is not None]
