"""Groups of very many members, straight into the tables: what it takes to fill them is other tests' matter."""

import asyncpg

from domain.commands import GroupPut, PutGroups
from domain.license_commands import LicenseKind, LicensePut, PutLicenses
from infra.postgres.database import plain_dsn
from tests.support.callers import Caller

_PEOPLE = """
INSERT INTO app_user (tenant_id, key, username, username_key)
SELECT $1, 'p' || n, 'p' || n, 'p' || n FROM generate_series(1, $2::int) AS n
"""
_MEMBERS = """
WITH held AS (
    INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources)
    SELECT $1, $2, app_user.id, role.id, 1 FROM app_user, role
     WHERE app_user.tenant_id = $1 AND role.tenant_id = $1 AND role.key = 'member'
), counted AS (
    UPDATE user_group SET user_count = $3, assignment_count = $3 WHERE tenant_id = $1 AND id = $2
)
INSERT INTO group_member (tenant_id, group_id, user_id) SELECT $1, $2, id FROM app_user WHERE tenant_id = $1
"""


async def fill(
    caller: Caller, database_url: str, *, members: int, groups: tuple[str, ...] = ("everybody",), spare: int = 0
) -> tuple[int, list[int]]:
    """People p1, p2, … in each of these groups; the ids of a licence with seats for all of them, and the groups'."""
    await caller.post(PutGroups(items=tuple(GroupPut(key=key, name=key) for key in groups)))
    pool = LicensePut(
        key="photo",
        name="Photo",
        kind=LicenseKind.PROGRAM,
        capacity=members + spare,
        program_key="photo",
        program_name="Photo",
    )
    await caller.post(PutLicenses(items=(pool,)))
    group_ids = [row["id"] for row in await caller.ask("SELECT id FROM user_group ORDER BY id")]
    [license_id] = [row["id"] for row in await caller.ask("SELECT id FROM license")]
    connection = await asyncpg.connect(plain_dsn(database_url))
    await connection.execute(_PEOPLE, caller.tenant_id, members)
    for group_id in group_ids:
        await connection.execute(_MEMBERS, caller.tenant_id, group_id, members)
    # Those and no others: an empty table that has been analyzed is planned for as empty, which a new one is not.
    await connection.execute("ANALYZE app_user, group_assignment, group_member, user_group")
    await connection.close()
    return license_id, group_ids
