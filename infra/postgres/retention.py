"""Rows past their retention, removed a batch at a time."""

from datetime import datetime

from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("retention")


async def remove_old_operations(tx: Transaction, *, cutoff: datetime, batch: int) -> int:
    """Remove up to `batch` operations that finished before the cutoff; returns how many."""
    return len(await tx.fetch(_SQL["remove_old_operations"], cutoff=cutoff, batch=batch))


async def remove_old_outbox(tx: Transaction, *, cutoff: datetime, batch: int) -> int:
    """Remove up to `batch` messages published before the cutoff; returns how many."""
    return len(await tx.fetch(_SQL["remove_old_outbox"], cutoff=cutoff, batch=batch))
