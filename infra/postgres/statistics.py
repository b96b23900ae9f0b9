"""What Postgres believes of tables that have grown faster than it looks.

Autovacuum analyzes a table within a minute, or two; a first import fills it in seconds. Until then every equality is
guessed at 1 in 200, two of them leave one row of 40,000, and an index of the tenant and the licence looks as good as
the one that names the row. A session then takes whichever it last saw lower, for it keeps the height of an index that
it does not use: 20,000 of 100,000 seats were looked up in 10.5 s that way, and in 0.04 s after ANALYZE
(`docs/adr/0029-tables-that-grow-quickly-are-analyzed-at-once.md`).
"""

from infra.postgres.database import Database
from infra.postgres.statements import load

_SQL = load("statistics")


async def analyze_outgrown(database: Database) -> None:
    """Analyze a table that has outgrown its statistics, where there is one.

    Raises:
        asyncpg.LockNotAvailableError: a migration has one of the tables.
        asyncpg.QueryCanceledError: it took longer than a statement may.
    """
    await database.fetch(_SQL["analyze_outgrown"])
