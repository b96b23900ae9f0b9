"""The second fence around a tenant's rows: reads act as a role that Postgres shows one tenant alone (docs/adr/0021).

One rule: role and tenant are set in the message that begins the transaction, so that they end with it and cost no round
trip. The first fence is the `WHERE tenant_id` of every block.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import structlog

from infra.postgres.database import NO_SUCH_ROLE, Database, Row, Transaction
from infra.postgres.statements import Statement

log = structlog.get_logger(__name__)

READER = "seatline_reader"
"""Reads what tenants ask for, and of that only the rows of the tenant that the transaction names."""
INTAKE = "seatline_intake"
"""Accepts operations and reads their answers, of all tenants, and nothing else."""

# SET takes no parameters and a message of several statements none either; the only value is a number of ours.
_BEGIN = "BEGIN READ ONLY; SET LOCAL ROLE seatline_reader; SET LOCAL seatline.tenant_id = %d"
_BEGIN_UNFENCED = "BEGIN READ ONLY; SET LOCAL seatline.tenant_id = %d"


class Fence:
    """Makes fenced readers of one pool. Where the login may not act as the reader, the fence is down and is logged."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_up = True

    def of_tenant(self, tenant_id: int) -> "FencedReads":
        """Where this tenant's rows are read, and no others."""
        return FencedReads(self, self._database, tenant_id)

    def fell(self, error: Exception) -> None:
        """The role cannot be had; reads go on behind the first fence alone until the process starts again."""
        if self.is_up:
            log.warning("row-level security is off", role=READER, reason=type(error).__name__)
        self.is_up = False


class FencedReads:
    """A tenant's view of the database: read-only transactions that see the tenant's rows."""

    def __init__(self, fence: Fence, database: Database, tenant_id: int) -> None:
        self._fence = fence
        self._database = database
        self._tenant_id = tenant_id

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A read-only transaction behind the fence."""
        async with self._database.begun_by(self._begin) as tx:
            yield tx

    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        """One statement in a transaction of its own."""
        async with self.transaction() as tx:
            return await tx.fetch(statement, **binds)

    def _begin(self, driver: asyncpg.Connection) -> "_Fenced":
        return _Fenced(self._fence, driver, self._tenant_id)


class _Fenced:
    """A transaction that acts as the reader from its first message on."""

    def __init__(self, fence: Fence, driver: asyncpg.Connection, tenant_id: int) -> None:
        self._fence = fence
        self._driver = driver
        self._tenant_id = tenant_id

    async def start(self) -> None:
        if self._fence.is_up:
            try:
                await self._driver.execute(_BEGIN % self._tenant_id)
            except NO_SUCH_ROLE as error:
                await self._driver.execute("ROLLBACK")
                self._fence.fell(error)
            else:
                return
        await self._driver.execute(_BEGIN_UNFENCED % self._tenant_id)

    async def commit(self) -> None:
        await self._driver.execute("COMMIT")

    async def rollback(self) -> None:
        await self._driver.execute("ROLLBACK")
