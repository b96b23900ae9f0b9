"""What else there is to tell of one operation: what happened to it more than once, and what became of its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.postgres.database import Database, Reader, Row
from infra.postgres.reads.found_operations import Key
from infra.postgres.statements import load

_SQL = load("read_found_operations")

# Messages of one walk: of a hundred events each where there are many.
WINDOW = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenEvents:
    """The events of an operation: how many, how many of them have been published, and where they stand in the log."""

    written: int = 0
    published: int = 0
    published_at: datetime | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None

    @property
    def all_published(self) -> bool:
        """Nothing of it waits in the outbox."""
        return self.written > 0 and self.published == self.written


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`history` holds moments of earlier tries, `{"event", "at", …}` in order."""

    history: Sequence[Mapping[str, Any]]
    cancel_requested_at: datetime | None
    discarded_at: datetime | None
    events: WrittenEvents


async def told_of(database: Database, key: Key) -> Told:
    """What there is to tell of this operation, which exists."""
    tenant_id, operation_id = key
    async with database.transaction() as tx:
        [row] = await tx.fetch(_SQL["told_of"], tenant_id=tenant_id, id=operation_id)
        events = await _events(tx, key, row)
    return Told(
        history=row["history"] or [],
        cancel_requested_at=row["cancel_requested_at"],
        discarded_at=row["discarded_at"],
        events=events,
    )


async def _events(reader: Reader, key: Key, row: Row) -> WrittenEvents:
    if row["first_sequence"] is None:
        return WrittenEvents()
    if row["events"] is not None:
        return await _of_a_pass(reader, key, row)
    tenant_id, operation_id = key
    [found] = await reader.fetch(
        _SQL["events_of"],
        tenant_id=tenant_id,
        id=operation_id,
        first=row["first_sequence"],
        last=row["last_sequence"],
        until=row["finished_at"] if row["last_sequence"] is None else None,
        window=WINDOW,
    )
    return _of_a_walk(row, found)


async def _of_a_pass(reader: Reader, key: Key, row: Row) -> WrittenEvents:
    """What is not pending has been published, also where it is gone from the outbox by now."""
    first, last, events = row["first_sequence"], row["last_sequence"], row["events"]
    [found] = await reader.fetch(_SQL["events_in_pass"], tenant_id=key[0], first=first, last=last, events=events)
    return WrittenEvents(
        written=events,
        published=events - int(found["pending"]),
        published_at=found["published_at"],
        first_sequence=first,
        last_sequence=last,
    )


def _of_a_walk(row: Row, found: Row) -> WrittenEvents:
    """Messages past their retention are gone from the outbox, published; their sequences are known all the same."""
    if not found["written"]:
        if row["last_sequence"] is None:
            return WrittenEvents()
        written = row["last_sequence"] - row["first_sequence"] + 1
        return WrittenEvents(
            written=written, published=written, first_sequence=row["first_sequence"], last_sequence=row["last_sequence"]
        )
    return WrittenEvents(
        written=int(found["written"]),
        published=int(found["published"]),
        published_at=found["published_at"],
        first_sequence=row["first_sequence"],
        last_sequence=row["last_sequence"] or found["last"],
    )
