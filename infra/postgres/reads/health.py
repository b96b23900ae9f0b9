"""Whether the database serves at this moment."""

import asyncio
from datetime import timedelta

from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.statements import load

_SQL = load("read_health")
# What a server answers whose schema is not there yet (undefined_table).
_NO_SCHEMA = "42P01"


async def is_serving(database: Database, *, within: timedelta) -> bool:
    """True when the database answers in time, with a schema."""
    try:
        async with asyncio.timeout(within.total_seconds()), database.transaction() as tx:
            await tx.fetch(_SQL["is_serving"])
    except Exception as error:
        if is_transient(error) or getattr(error, "sqlstate", None) == _NO_SCHEMA:
            return False
        raise
    return True
