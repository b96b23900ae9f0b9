"""What a pass and a chunk add to the measures of their worker, once they are committed.

One rule: nothing is measured of what is rolled back but that it was.
"""

from collections.abc import Sequence
from time import perf_counter

from domain.continuations import Continuing
from infra.measures import Measures
from infra.postgres.outbox_relay import PendingMessage
from workers.passes import Pass
from workers.ready import Batch


def pass_committed(measures: Measures, this: Pass, batch: Batch) -> None:
    """A pass that has committed, whether it found something or not."""
    applying = measures.applying
    operations = this.selection.operations
    if not operations or this.at is None:
        applying.passes.add(1, "empty")
        return
    applying.passes.add(1, "committed")
    now = perf_counter()
    took = now - this.began
    applying.pass_seconds.observe(took)
    applying.pass_operations.observe(len(operations))
    applying.pass_items.observe(sum(operation.items for operation in operations))
    applying.events.add(this.events)
    for status, count in this.statuses.items():
        applying.applied.add(count, status.value)
    for operation in operations:
        applying.seconds.observe((this.at - operation.queued_at).total_seconds() + took)
    for tenant_id in this.selection.taken:
        if tenant_id in batch.found_by:
            applying.tenants.add(1, batch.found_by[tenant_id])
        if tenant_id in batch.claimed_at:
            applying.claim_seconds.observe(now - batch.claimed_at[tenant_id])


def chunk_committed(measures: Measures, kind: Continuing, *, rows: int, seconds: float, events: int) -> None:
    """A chunk that has committed."""
    measures.applying.chunk_seconds.observe(seconds, kind.value)
    measures.applying.chunk_rows.observe(rows, kind.value)
    measures.applying.events.add(events)


def messages_relayed(
    measures: Measures, messages: Sequence[PendingMessage], relayed: frozenset[int], *, seconds: float
) -> None:
    """Messages that were published, those whose ids are in `relayed` for certain, `seconds` after they were read."""
    relaying = measures.relaying
    relaying.messages.add(len(relayed), "confirmed")
    relaying.messages.add(len(messages) - len(relayed), "unconfirmed")
    for message in messages:
        if message.id in relayed:
            relaying.published.add(message.last_sequence - message.first_sequence + 1)
            relaying.seconds.observe(message.waited_seconds + seconds)
