"""Messages of events across tenants: the newest, and those behind an id.

One rule: whole messages. Within a tenant ids follow the log; across tenants they were given before the commits, so that
a lower one may appear later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from infra.cloudevents import split
from infra.postgres.database import Reader, Row
from infra.postgres.outbox_bodies import StoredBody, unpack
from infra.postgres.statements import load

_SQL = load("read_event_tail")

WINDOW = 2_000
"""How many of the newest messages are looked through for some types, and for one that is missing."""
HOLE_SECONDS = 2.0
"""How long a missing id is waited for: a transaction takes a fraction of this. What never appears was rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMessage:
    """A message with its events, each in the bytes that are published. `type` is the short one."""

    id: int
    tenant_id: int
    type: str
    events: Sequence[bytes]


async def settled_id(reader: Reader) -> int:
    """The id of a message behind which a stream misses nothing that is not committed yet; 0 where there is none."""
    [row] = await reader.fetch(_SQL["settled_message"], window=WINDOW, hole=timedelta(seconds=HOLE_SECONDS))
    settled: int = row["id"]
    return settled


async def messages_after(reader: Reader, after: int, *, limit: int) -> list[LoggedMessage]:
    """Messages behind the id, in the order of their ids."""
    return [_message(row) for row in await reader.fetch(_SQL["messages_after"], after=after, limit=limit)]


async def newest_messages(
    reader: Reader, *, tenant_id: int | None, types: Sequence[str] | None, limit: int
) -> list[LoggedMessage]:
    """The newest messages, of one tenant or of all, the oldest of them first."""
    window = limit if types is None else WINDOW
    if tenant_id is None:
        rows = await reader.fetch(_SQL["newest_messages"], types=types, window=window, limit=limit)
    else:
        rows = await reader.fetch(
            _SQL["newest_messages_of_tenant"], tenant_id=tenant_id, types=types, window=window, limit=limit
        )
    return [_message(row) for row in rows]


def _message(row: Row) -> LoggedMessage:
    return LoggedMessage(
        id=row["id"],
        tenant_id=row["tenant_id"],
        type=row["type"],
        events=split(unpack(StoredBody(row["body"], row["bytes"]))),
    )
