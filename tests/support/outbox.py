"""An outbox filled by hand, and a subscriber that takes what the relay makes of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from infra.rabbitmq.topology import Topology
from tests.support.waiting import found

_INSERT = """
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body)
VALUES ($1, 'user.updated', $2, $2, $3, $4, $5)
"""
_PENDING = "SELECT count(*) FROM outbox WHERE published_at IS NULL"


class Outbox:
    """Writes messages of tenants named `t1`, `t2`, …, one event each, and counts what is pending."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def add(self, *places: tuple[int, int], size: int = 0) -> list[bytes]:
        """Add messages by tenant and sequence, in this order; their bodies."""
        bodies = [
            f'[{{"tenant":{tenant},"sequence":{sequence}}}]'.encode() + b" " * size for tenant, sequence in places
        ]
        await self._connection.executemany(
            _INSERT,
            [
                (tenant, sequence, uuid4(), f"t{tenant}.user.updated", body)
                for (tenant, sequence), body in zip(places, bodies, strict=True)
            ],
        )
        return bodies

    async def pending(self) -> int:
        """How many messages are not marked as published."""
        return await self._connection.fetchval(_PENDING)

    async def drained(self) -> None:
        """Wait until nothing is pending."""

        async def nothing_pending() -> bool:
            return not await self.pending()

        await found(nothing_pending)

    async def forget_publication(self) -> None:
        """Make everything pending again, as when the mark was lost after the publication."""
        await self._connection.execute("UPDATE outbox SET published_at = NULL")

    async def end_leader(self) -> None:
        """End the session that holds the relay's lock, as a failing server would."""
        await self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5391002 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


@asynccontextmanager
async def outbox_of(database_url: str) -> AsyncIterator[Outbox]:
    """The outbox of this database."""
    connection = await asyncpg.connect(database_url)
    try:
        yield Outbox(connection)
    finally:
        await connection.close()


async def subscribed(
    channel: AbstractChannel, prefix: str, *keys: str, arguments: dict[str, object] | None = None
) -> "asyncio.Queue[AbstractIncomingMessage]":
    """Everything that is published with these keys from now on."""
    queue = await channel.declare_queue(exclusive=True, arguments=arguments)
    for key in keys:
        await queue.bind(Topology(prefix=prefix).events_exchange, routing_key=key)
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await queue.consume(arrived.put, no_ack=True)
    return arrived


def firsts(bodies: Sequence[bytes]) -> list[bytes]:
    """The bodies without repetitions, in the order of their first arrival."""
    return list(dict.fromkeys(bodies))
