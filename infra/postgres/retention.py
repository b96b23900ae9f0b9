"""Rows past their retention, removed a batch at a time."""

from datetime import timedelta

from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("retention")


async def remove_old_operations(tx: Transaction, *, keep: timedelta, batch: int) -> int:
    """Remove up to `batch` operations that finished longer ago; returns how many."""
    return len(await tx.fetch(_SQL["remove_old_operations"], keep=keep, batch=batch))


async def remove_old_outbox(tx: Transaction, *, keep: timedelta, batch: int) -> int:
    """Remove up to `batch` messages published longer ago; returns how many."""
    return len(await tx.fetch(_SQL["remove_old_outbox"], keep=keep, batch=batch))
