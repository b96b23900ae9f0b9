"""The spans of what requests share in one API process: lookups, inserts, claims and answers.

One rule: whatever is done for many at once has a span in the trace of each; the work itself stands once.
"""

from collections.abc import Sequence
from uuid import UUID

from infra.postgres.operations import NewOperation
from infra.rabbitmq.broker import Broker
from infra.rabbitmq.claims import Claim
from infra.rabbitmq.topology import Topology
from infra.tracing.work import Sending, Span, Tracer, Work


def accepted(operations: Sequence[NewOperation], flush: Work) -> list[Span]:
    """For each of these operations, the insert that they share."""
    return [
        Span(
            name="accept",
            parent=operation.traceparent,
            began=flush.began,
            ended=flush.ended,
            attributes=_ids(operation.tenant_id, operation.id),
            error=flush.error,
        )
        for operation in operations
        if operation.traceparent is not None
    ]


def waited_for(name: str, parents: Sequence[str], work: Work) -> list[Span]:
    """For each request that waits below these spans, the statement that they share."""
    return [Span(name=name, parent=parent, began=work.began, ended=work.ended, error=work.error) for parent in parents]


class TracedClaims:
    """Publishes claims that carry the spans of their own sending, so that what a worker does stands below them."""

    def __init__(self, broker: Broker, tracer: Tracer, prefix: str) -> None:
        self._broker = broker
        self._tracer = tracer
        self._destination = Topology(prefix=prefix).commands_exchange

    async def send(self, claims: Sequence[Claim]) -> int:
        """Publish the claims; the number confirmed. Where some were not, nobody knows which."""
        begun = [self._begin(claim) for claim in claims]
        confirmed = 0
        try:
            confirmed = await self._broker.publish_claims([claim for claim, _ in begun])
        finally:
            for _, sending in begun:
                if sending is not None:
                    sending.end(confirmed=confirmed == len(claims))
        return confirmed

    def _begin(self, claim: Claim) -> tuple[Claim, Sending | None]:
        if claim.traceparent is None:
            return claim, None
        attributes = {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": self._destination,
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
        } | _ids(claim.tenant_id, claim.operation_id)
        sending = self._tracer.sending(f"publish {self._destination}", claim.traceparent, attributes)
        return Claim(
            tenant_id=claim.tenant_id,
            operation_id=claim.operation_id,
            request_id=claim.request_id,
            traceparent=sending.traceparent,
        ), sending


def _ids(tenant_id: int, operation_id: UUID) -> dict[str, str | int]:
    return {"seatline.tenant_id": tenant_id, "seatline.operation_id": str(operation_id)}
