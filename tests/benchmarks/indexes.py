"""Filling without indexes: dropped before the rows come, made again of all of them at once, constraints included."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

_INDEXES = """
SELECT CASE WHEN conname IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS dropped,
       CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname,
                        pg_get_constraintdef(pg_constraint.oid)) END AS made
  FROM pg_index
  LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
 WHERE indrelid = ANY (CAST($1::text[] AS regclass[]))
"""


@asynccontextmanager
async def without_indexes(sql: asyncpg.Connection, tables: Sequence[str]) -> AsyncIterator[None]:
    """The tables have none within the block; nor are they vacuumed by themselves, in it or during the measurement."""
    indexes = await sql.fetch(_INDEXES, list(tables))
    for index in indexes:
        await sql.execute(index["dropped"])
    for table in tables:
        await sql.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    yield
    for index in indexes:
        await sql.execute(index["made"])
