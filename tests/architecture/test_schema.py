"""The migrated database: every key of a tenant's table starts with tenant_id; migrations go up, down and up again."""

import asyncpg
import pytest

from infra.postgres import migrate
from infra.postgres.database import plain_dsn
from infra.postgres.outbox_bodies import pack
from infra.postgres.schema import metadata

# The tables that hold no tenant's rows: the tenants themselves, and what belongs to processes.
NOBODYS = {
    "tenant",
    "worker",
    "worker_session",
    "process_measure",
    "overview_sample",
    "console_session",
    "alembic_version",
}

KEYS = """
SELECT class.relname AS table, index_class.relname AS key,
       (SELECT attname FROM pg_attribute WHERE attrelid = class.oid AND attnum = indkey[0]) AS first_column
  FROM pg_index
  JOIN pg_class AS class ON class.oid = indrelid
  JOIN pg_class AS index_class ON index_class.oid = indexrelid
  JOIN pg_namespace AS space ON space.oid = class.relnamespace
 WHERE indisunique AND space.nspname = 'public'
"""
FOREIGN_KEYS = """
SELECT class.relname AS table, conname AS key,
       (SELECT attname FROM pg_attribute WHERE attrelid = class.oid AND attnum = conkey[1]) AS first_column
  FROM pg_constraint
  JOIN pg_class AS class ON class.oid = conrelid
 WHERE contype = 'f'
"""
COLUMNS = """
SELECT table_name, bool_or(column_name = 'tenant_id') AS has_tenant_id
  FROM information_schema.columns
 WHERE table_schema = 'public'
 GROUP BY table_name
"""
RELATIONS = """
SELECT relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace
 WHERE nspname = 'public' AND relkind IN ('r', 'S', 'v', 'm', 'p')
   AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""

OUTBOX_ROW = """
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body, bytes)
VALUES (1, 'user.updated', 1, 100, gen_random_uuid(), 't.user.updated', $1, $2)
"""


@pytest.fixture
async def connection(database_url):
    connection = await asyncpg.connect(plain_dsn(database_url))
    yield connection
    await connection.close()


async def test_every_table_belongs_to_tenants_but_those_that_belong_to_nobody(connection):
    tables = {row["table_name"]: row["has_tenant_id"] for row in await connection.fetch(COLUMNS)}
    assert {table for table, has_tenant_id in tables.items() if not has_tenant_id} == NOBODYS
    assert tables.keys() - {"alembic_version"} == metadata.tables.keys()


@pytest.mark.parametrize("query", [KEYS, FOREIGN_KEYS], ids=["primary and unique keys", "foreign keys"])
async def test_every_key_of_a_tenants_table_starts_with_tenant_id(connection, query):
    keys = [row for row in await connection.fetch(query) if row["table"] not in NOBODYS]
    assert [dict(row) for row in keys if row["first_column"] != "tenant_id"] == []
    if query is KEYS:
        assert {row["table"] for row in keys} == metadata.tables.keys() - NOBODYS


async def test_the_check_of_keys_finds_one_that_does_not_start_with_tenant_id(connection):
    await connection.execute("CREATE UNIQUE INDEX wrong ON user_group (name)")
    found = [row["key"] for row in await connection.fetch(KEYS) if row["first_column"] == "name"]
    assert found == ["wrong"]


async def test_the_migrated_database_is_what_the_tables_say(database_url):
    await migrate.check(database_url)


async def test_migrations_go_up_down_and_up_again(database_url, connection):
    everything = {row["relname"] for row in await connection.fetch(RELATIONS)}
    await migrate.downgrade(database_url, "base")
    assert {row["relname"] for row in await connection.fetch(RELATIONS)} == {"alembic_version"}
    await migrate.upgrade(database_url)
    assert {row["relname"] for row in await connection.fetch(RELATIONS)} == everything
    await migrate.check(database_url)
    await migrate.upgrade(database_url)


async def test_a_downgrade_leaves_bodies_of_the_outbox_as_they_were_encoded(database_url, connection):
    body = b'[{"id":"acme-1"}]' * 1_000
    await connection.execute(OUTBOX_ROW, *pack(body))
    await migrate.downgrade(database_url, "0002")
    assert await connection.fetchval("SELECT body FROM outbox") == body
