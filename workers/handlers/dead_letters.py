"""Applies what operators do to dead letters of a tenant: the first of them at once, the rest in chunks.

One rule: these kinds run alone in their pass, so a handler is given one command.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.continuations import Continuation, Continuing
from domain.dead_letters import DeadLetterCommand, DiscardDeadLetters, RedriveDeadLetters
from domain.entitlements import Named
from domain.outcomes import Reported, Result
from domain.planning import Decision, Order
from infra.postgres.continuations import begin_continuation
from infra.postgres.database import Transaction
from workers.chunk_sizes import ChunkSizes
from workers.dead_letter_steps import deal_with


class DeadLetters:
    """The handlers of redrives and discards, which know how much one pass may do of them."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def redrive(
        self, tx: Transaction, orders: Sequence[Order[RedriveDeadLetters]], _at: datetime
    ) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        return [await self._begin(tx, order, Continuing.REDRIVE, "redriven")]

    async def discard(
        self, tx: Transaction, orders: Sequence[Order[DiscardDeadLetters]], _at: datetime
    ) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        return [await self._begin(tx, order, Continuing.DISCARD, "discarded")]

    async def _begin(self, tx: Transaction, order: Order[DeadLetterCommand], kind: Continuing, word: str) -> Decision:
        of = Continuation(
            tenant_id=order.tenant_id,
            operation_id=order.operation_id,
            operation_seq=order.seq,
            kind=kind,
            target=Named(0, ""),
        )
        first = await deal_with(tx, of, order.command, rows=self._sizes.of(kind))
        total = first.done
        if first.more:
            total = max(order.command.matched, first.done + 1)
            of.done, of.total = first.done, total
            await begin_continuation(tx, of)
        result = Result(outcomes=[Reported(word, {"count": first.done})], titles={})
        return Decision(result=result, events=[], reached=first.reached, done=first.done, total=total)
