"""A tenant's events out of the log: after a sequence, in order, without a gap, in the bytes that are published.

One rule: what is missing is an error and never a silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.cloudevents import split
from infra.postgres.database import Reads, Row
from infra.postgres.outbox_bodies import StoredBody, unpack
from infra.postgres.statements import load

_SQL = load("read_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One CloudEvent as its bytes. `type` is the short one, such as `group.updated`."""

    sequence: int
    type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Events in order; the next page is the one after `next`. `head` is the tenant's last sequence of all."""

    events: Sequence[LoggedEvent]
    next: int
    head: int


class EventsExpiredError(Exception):
    """Events after the asked sequence are gone; the log goes on from `earliest`."""

    def __init__(self, earliest: int) -> None:
        super().__init__(f"the log begins at {earliest}")
        self.earliest = earliest


async def page_of_events(
    database: Reads, tenant_id: int, *, after: int | None, limit: int, types: Sequence[str] | None = None
) -> LogPage:
    """At most `limit` events after the sequence `after`; None begins with the earliest that is kept.

    Args:
        database: where the log is.
        tenant_id: whose events.
        after: the last sequence that the caller has.
        limit: how many events.
        types: only these short types; the others are passed over, and `next` passes over them too.

    Raises:
        EventsExpiredError: events after `after` were removed by retention.
    """
    statement = _SQL["page_of_events" if types is None else "page_of_events_by_type"]
    async with database.transaction() as tx:
        rows = await tx.fetch(statement, tenant_id=tenant_id, after=after or 0, limit=limit, types=types)
    if not rows:
        return LogPage(events=(), next=after or 0, head=0)
    head: int = rows[0]["head"]
    earliest: int = rows[0]["earliest"] or head + 1
    begin = earliest - 1 if after is None else after
    if begin + 1 < earliest:
        raise EventsExpiredError(earliest)
    found = [row for row in rows if row["first_sequence"] is not None]
    if types is None:
        found = _unbroken(found, begin)
    events = [event for row in found for event in _events(row) if event.sequence > begin][:limit]
    last = events[-1].sequence if events else begin
    # A page of some types that is not full has looked at everything up to the head: that need not be asked again.
    is_at_head = types is not None and len(events) < limit
    return LogPage(events=events, next=max(last, head) if is_at_head else last, head=head)


async def heads(database: Reads, tenant_ids: Sequence[int]) -> dict[int, int]:
    """The last sequence of each of these tenants."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["heads"], tenant_ids=list(tenant_ids))
    return {row["tenant_id"]: row["event_seq"] for row in rows}


def _unbroken(rows: Sequence[Row], begin: int) -> list[Row]:
    """The rows up to the first gap, which retention makes while it sweeps."""
    unbroken: list[Row] = []
    reached = begin
    for row in rows:
        if row["first_sequence"] > reached + 1:
            break
        unbroken.append(row)
        reached = row["last_sequence"]
    if rows and not unbroken:
        raise EventsExpiredError(rows[0]["first_sequence"])
    return unbroken


def _events(row: Row) -> list[LoggedEvent]:
    return [
        LoggedEvent(sequence=row["first_sequence"] + place, type=row["type"], body=body)
        for place, body in enumerate(split(unpack(StoredBody(row["body"], row["bytes"]))))
    ]
