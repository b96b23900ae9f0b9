"""The outbox as its relay sees it: the pending messages, their mark, and the lock that makes one relay the leader."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from infra.postgres.database import Database, Session, Transaction
from infra.postgres.outbox_bodies import StoredBody, unpack
from infra.postgres.statements import load

_SQL = load("outbox_relay")
_LEADER_LOCK = 5_391_002
# A leader that sleeps longer than this has lost its lock; it pings every second.
_IDLE_SESSION = "5s"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A stored message that no confirm is known for yet; `waited_seconds` of age when it was read."""

    id: int
    tenant_id: int
    first_sequence: int
    last_sequence: int
    routing_key: str
    body: bytes
    waited_seconds: float = 0.0


async def pending_messages(
    tx: Transaction, *, held_tenant_ids: Collection[int], most_rows: int, most_bytes: int
) -> list[PendingMessage]:
    """The oldest pending messages, those of held tenants left aside; within a tenant in sequence order."""
    rows = await tx.fetch(
        _SQL["pending_messages"],
        held_tenant_ids=list(held_tenant_ids),
        most_rows=most_rows,
        most_bytes=most_bytes,
    )
    return [
        PendingMessage(
            id=row["id"],
            tenant_id=row["tenant_id"],
            first_sequence=row["first_sequence"],
            last_sequence=row["last_sequence"],
            routing_key=row["routing_key"],
            body=unpack(StoredBody(row["body"], row["bytes"])),
            waited_seconds=row["waited_seconds"],
        )
        for row in rows
    ]


async def mark_published(tx: Transaction, *, ids: Sequence[int]) -> None:
    """Take these messages out of the pending set; they stay for the retention time, as the log behind replay."""
    await tx.execute(_SQL["mark_published"], ids=ids)


async def leader_session(database: Database) -> Session:
    """Open the session that leadership belongs to."""
    return await database.session(idle_session_timeout=_IDLE_SESSION)


async def lead_relay(session: Session) -> bool:
    """Become the leader, unless another session is; asking again while leading would count twice."""
    [row] = await session.fetch(_SQL["lead_relay"], lock=_LEADER_LOCK)
    return bool(row["leads"])


async def ping_relay(session: Session) -> None:
    """Show that the session lives.

    Raises:
        Exception: it does not, and nor does the leadership.
    """
    await session.execute(_SQL["ping_relay"])
