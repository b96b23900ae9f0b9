"""Sends the claims of what was accepted: wake-ups, after the commit and outside every request.

One rule: a claim that is not confirmed is never sent again; the workers' poll finds the rows.
"""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import structlog

from api.spans import TracedClaims
from infra.measures.process import Acceptance
from infra.postgres.operations import NewOperation
from infra.rabbitmq.broker import Broker
from infra.rabbitmq.claims import Claim
from infra.traces import trace
from infra.tracing.work import Tracer

log = structlog.get_logger(__name__)


class Claims:
    """The claims of one API process that are still to be sent: one a tenant, however much was accepted of it."""

    def __init__(
        self, broker: Broker, measures: Acceptance, *, prefix: str = "seatline", tracer: Tracer | None = None
    ) -> None:
        self._broker = broker
        self._measures = measures
        self._send = broker.publish_claims if tracer is None else TracedClaims(broker, tracer, prefix).send
        self._waiting: dict[int, Claim] = {}
        self._added = asyncio.Event()

    def wake(self, tenant_id: int, operation_id: UUID) -> None:
        """Wake the workers up for this tenant, although nothing of it was accepted just now."""
        self._waiting[tenant_id] = Claim(tenant_id=tenant_id, operation_id=operation_id)
        self._added.set()

    def add(self, operations: Iterable[NewOperation]) -> None:
        """Wake the workers up for the tenants of these operations."""
        for operation in operations:
            self._waiting[operation.tenant_id] = Claim(
                tenant_id=operation.tenant_id,
                operation_id=operation.id,
                request_id=operation.request_id,
                traceparent=operation.traceparent,
            )
        self._added.set()

    async def run(self) -> None:
        """Send what has been added, all at once, again and again until cancelled."""
        while True:
            await self._added.wait()
            self._added.clear()
            claims, self._waiting = list(self._waiting.values()), {}
            try:
                confirmed = await self._send(claims)
            except Exception as error:  # noqa: BLE001 - the loop outlives whatever the broker does
                self._measures.claims.add(len(claims), "unconfirmed")
                log.warning("claims could not be sent", claims=len(claims), error=trace(error))
                continue
            self._measures.claims.add(confirmed, "confirmed")
            self._measures.claims.add(len(claims) - confirmed, "unconfirmed")
            if confirmed < len(claims):
                log.info("claims were not confirmed", claims=len(claims), confirmed=confirmed)
