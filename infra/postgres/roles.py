"""Makes the roles behind the second fence and says what each may do; run after every migration, and again at will.

One rule: a login that may not make roles gets none, and everything works without; `stands` tells which it is.
"""

import asyncpg
from sqlalchemy import Connection, text

from infra.postgres.database import NO_SUCH_ROLE, plain_dsn
from infra.postgres.fences import INTAKE, READER

BY_HAND = f"CREATE ROLE {READER}; CREATE ROLE {INTAKE}; GRANT {READER}, {INTAKE} TO <the login>"
"""What an administrator of the server runs where the login may not; then `seatline migrate` again."""

# Roles belong to the server, not to the database: another database's migration may be making them at this moment.
_MAKE = """
DO $roles$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['seatline_reader', 'seatline_intake'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', wanted);
            RESET ROLE;
        EXCEPTION WHEN insufficient_privilege THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END;
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END
$roles$
"""
# What is not granted here is closed: a table that is not named, tokens and tenants above all, and every other sequence.
# The policy of the reader, one tenant, comes with the schema; intake writes for many tenants in one statement.
_ALLOW = """
DO $rights$
BEGIN
    IF (SELECT count(*) <> 2 FROM pg_roles WHERE rolname IN ('seatline_reader', 'seatline_intake')) THEN
        RETURN;
    END IF;
    GRANT SELECT ON app_user, continuation, entitlement, entitlement_source, group_assignment, group_license,
                    group_member, license, operation, outbox, role, tenant_log, user_group TO seatline_reader;
    GRANT EXECUTE ON FUNCTION search_members, count_members_found TO seatline_reader;
    GRANT SELECT, INSERT ON operation TO seatline_intake;
    GRANT USAGE ON SEQUENCE operation_seq TO seatline_intake;
    IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = current_schema() AND policyname = 'every_tenant') THEN
        CREATE POLICY every_tenant ON operation TO seatline_intake USING (true) WITH CHECK (true);
    END IF;
END
$rights$
"""
_ACT = "SET ROLE seatline_reader; SET ROLE seatline_intake; RESET ROLE"
_MAY_READ = "SELECT has_table_privilege('seatline_reader', 'app_user', 'SELECT')"


def make_roles(connection: Connection) -> None:
    """Make what is missing of the roles and their rights, in the connection's transaction."""
    connection.execute(text(_MAKE))
    connection.execute(text(_ALLOW))


async def stands(url: str) -> bool:
    """Whether the login of this URL may act as the roles, and they may do their work: the second fence is up."""
    connection = await asyncpg.connect(plain_dsn(url), timeout=5)
    try:
        await connection.execute(_ACT)
        return bool(await connection.fetchval(_MAY_READ))
    except (*NO_SUCH_ROLE, asyncpg.UndefinedObjectError, asyncpg.UndefinedTableError):
        return False
    finally:
        await connection.close(timeout=5)
