"""Delivery, chunks and relay as they are where traces are wanted.

One rule: they only watch. Spans are made when the work is over: after a commit, the replies and the acks.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from typing_extensions import override

from domain.continuations import Continuation
from infra.postgres.database import Database
from infra.postgres.outbox_relay import PendingMessage
from infra.postgres.traced import TracedDatabase
from infra.tracing.work import Tracer, Work
from workers.chunks import ChunkLane
from workers.delivery import Delivery
from workers.passes import Pass
from workers.ready import Batch
from workers.relay import Relay
from workers.spans import Sent, WorkerSpans
from workers.steps import Step


class TracedDelivery(Delivery):
    """A delivery that tells of each pass, also of one that failed."""

    def __init__(self, *, spans: WorkerSpans, **parts: Any) -> None:
        super().__init__(**parts)
        self._spans = spans
        self._applied: tuple[Pass, Work] | None = None

    @override
    async def turn(self, batch: Batch) -> None:
        self._applied = None
        await super().turn(batch)
        if self._applied is not None:
            this, transaction = self._applied
            self._spans.passed(this, transaction, batch.acks)

    @override
    async def _apply(self, this: Pass, batch: Batch, *, heeds_the_dead: bool) -> None:
        transaction = Work()
        self._applied = this, transaction
        with transaction:
            await super()._apply(this, batch, heeds_the_dead=heeds_the_dead)


class TracedChunkLane(ChunkLane):
    """A lane that tells of each chunk."""

    def __init__(self, *, spans: WorkerSpans, **parts: Any) -> None:
        super().__init__(**parts)
        self._spans = spans

    @override
    async def _take(
        self, tenant_id: int, *, is_alone: bool, heeds_the_dead: bool
    ) -> tuple[int | None, tuple[Continuation, Step] | None]:
        with Work() as transaction:
            events, taken = await super()._take(tenant_id, is_alone=is_alone, heeds_the_dead=heeds_the_dead)
        if taken is not None:
            of, step = taken
            self._spans.continued(of, step.touched, transaction)
        return events, taken


class TracedRelay(Relay):
    """A relay that tells of each batch in which it found something."""

    def __init__(self, *, spans: WorkerSpans, **parts: Any) -> None:
        super().__init__(**parts)
        self._spans = spans
        self._sent: Sent | None = None

    @override
    async def _relay_batch(self) -> tuple[int, int]:
        self._sent = None
        with Work() as batch:
            relayed = await super()._relay_batch()
        if self._sent is not None:
            self._spans.published(self._sent, batch)
        return relayed

    @override
    async def _publish(self, messages: Sequence[PendingMessage]) -> list[bool]:
        with Work() as publishing:
            confirmed = await super()._publish(messages)
        self._sent = Sent(messages=messages, confirmed=confirmed, publishing=publishing)
        return confirmed


class Kinds(NamedTuple):
    """Of which kinds a worker's parts are made."""

    database: Callable[..., Database] = Database
    delivery: Callable[..., Delivery] = Delivery
    chunks: Callable[..., ChunkLane] = ChunkLane
    relay: Callable[..., Relay] = Relay


def kinds(tracer: Tracer | None, *, prefix: str) -> Kinds:
    """Those that watch where there is a tracer, else the plain ones, which know nothing of traces."""
    if tracer is None:
        return Kinds()
    spans = WorkerSpans(tracer, prefix=prefix)
    return Kinds(
        database=TracedDatabase,
        delivery=partial(TracedDelivery, spans=spans),
        chunks=partial(TracedChunkLane, spans=spans),
        relay=partial(TracedRelay, spans=spans),
    )
