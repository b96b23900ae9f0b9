"""A clock that the test sets: what the sessions of the test's database find when they ask for `now()`.

One rule: it stands in front of the server's own by the database's search path, so nothing under test knows of it. It
begins at noon of day 0 and goes on as time does; `pass_days` sets it forward, never back.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.codec import decode
from infra.postgres.database import Database
from infra.postgres.due import fire_dates
from infra.postgres.statements import compile_block
from tests.support.engine import Asked

NOON = datetime(2031, 1, 1, 12, tzinfo=UTC)


def evening_of(day: int) -> datetime:
    """An instant that has come as soon as the day after this one is there."""
    return NOON + timedelta(days=day, hours=6)


class Clock:
    """The clock of a database that `set_up` has prepared."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.day = 0

    @staticmethod
    async def set_up(database: Database) -> None:
        """Give the database a clock of its own; sessions that begin after this go by it."""
        async with database.transaction() as tx:
            for statement in _CLOCK:
                await tx.execute(statement)

    async def begin(self) -> None:
        """It is noon of day 0, and nothing that was due before is due any more."""
        self.day = 0
        async with self._database.transaction() as tx:
            await tx.execute(_FORGET)
            await tx.execute(_SET, noon=NOON)

    async def pass_days(self, days: int) -> None:
        """So many days go by; what has become due by that is found by whoever looks."""
        self.day += days
        async with self._database.transaction() as tx:
            await tx.execute(_PASS, days=timedelta(days=days))

    async def look(self) -> int:
        """What the poll does; returns how many dates have fired."""
        return await fire_dates(self._database)


async def operations_of_dates(database: Database, tenant_id: int, *, known: Iterable[UUID]) -> dict[UUID, Asked]:
    """The tenant's operations that dates have asked for, and what, but for those that are known."""
    rows = await database.fetch(_CHECKS, tenant_id=tenant_id, known=list(known))
    return {row["id"]: Asked(tenant_id=tenant_id, command=decode("licenses.check", row["request"])) for row in rows}


async def in_accept_order(database: Database, tenant_id: int) -> list[UUID]:
    """All operations of the tenant."""
    return [row["id"] for row in await database.fetch(_LOG, tenant_id=tenant_id)]


# The functions are in PL/pgSQL, which keeps its plans; defaults have been bound to the server's own clock.
_CLOCK = [
    compile_block("clock", sql)
    for sql in (
        "CREATE SCHEMA clock",
        "CREATE TABLE clock.hand AS SELECT CAST('0' AS interval) AS ahead",
        """
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN pg_catalog.now() + (SELECT ahead FROM clock.hand); END $$
""",
        """
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN RETURN pg_catalog.clock_timestamp() + (SELECT ahead FROM clock.hand); END $$
""",
        """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND column_default = 'now()' LOOP
        EXECUTE format('ALTER TABLE %I ALTER %I SET DEFAULT clock.now()', one.table_name, one.column_name);
    END LOOP;
    EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public', current_database());
END $$
""",
    )
]
_SET = compile_block("set", "UPDATE clock.hand SET ahead = CAST(:noon AS timestamptz) - pg_catalog.now()")
_PASS = compile_block("pass", "UPDATE clock.hand SET ahead = ahead + CAST(:days AS interval)")
_FORGET = compile_block("forget", "DELETE FROM due")
_CHECKS = compile_block(
    "checks",
    "SELECT id, request FROM operation"
    " WHERE tenant_id = :tenant_id AND kind = 'licenses.check' AND id <> ALL (CAST(:known AS uuid[]))",
)
_LOG = compile_block("log", "SELECT id FROM operation WHERE tenant_id = :tenant_id ORDER BY seq")
