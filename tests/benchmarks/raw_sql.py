"""The rate of the bare statements: what Postgres alone gives on the same tables, with the same indexes and durability.

No command, no planning, no operation, no event: rows and counts only, some assignments a transaction, one connection.
"""

import time
from datetime import UTC, datetime

import asyncpg

from infra.local import databases
from infra.postgres.database import Database
from infra.postgres.statements import load

ROWS = 100
GROUPS = 40
NAME = "raw set-based SQL, 100 rows a transaction"

_SQL = load("assignments")
_DIRECTORY = """
INSERT INTO user_group (tenant_id, id, key, name) SELECT 1, n, n, n FROM generate_series(1, {groups}) AS n;
INSERT INTO app_user (tenant_id, id, key, username, username_key)
SELECT 1, n, n, n, n FROM generate_series(0, {people} - 1) AS n;
INSERT INTO role (tenant_id, id, key, permission_scope, titles) VALUES (1, 1, 'r', 'USER_GROUPS', '{{}}');
"""


async def rate(server_url: str, *, transactions: int, rows: int = ROWS, constraints: str = "") -> float:
    """Rows a second in a database of its own, to which `constraints` (SQL) are added first."""
    url = databases.create(server_url)
    database = Database(url, size=1)
    try:
        await _prepare(url, people=(transactions + 1) * rows, constraints=constraints)
        planned = [_binds(number, rows) for number in range(transactions + 1)]
        await _write(database, planned.pop())  # statements prepared, caches warm
        began = time.perf_counter()
        for binds in planned:
            await _write(database, binds)
        return transactions * rows / (time.perf_counter() - began)
    finally:
        await database.close()
        databases.drop(url)


async def _write(database: Database, binds: dict[str, list[object]]) -> None:
    people = {name: binds[name] for name in ("tenant_ids", "group_ids", "user_ids")}
    async with database.transaction() as tx:
        await tx.execute(
            _SQL["add_assignments"],
            **people,
            role_ids=binds["role_ids"],
            source=1,
            sources=[],
            created_at=datetime.now(UTC),
        )
        await tx.execute(_SQL["add_members"], **people)
        counts = {
            "tenant_ids": [1] * GROUPS,
            "group_ids": list(range(1, GROUPS + 1)),
            "users": binds["moved"],
            "assignments": binds["moved"],
        }
        await tx.execute(_SQL["add_group_counts"], **counts)


def _binds(number: int, rows: int) -> dict[str, list[object]]:
    groups = [row % GROUPS + 1 for row in range(rows)]
    return {
        "tenant_ids": [1] * rows,
        "group_ids": list(groups),
        "user_ids": [number * rows + row for row in range(rows)],
        "role_ids": [1] * rows,
        "moved": [groups.count(group) for group in range(1, GROUPS + 1)],
    }


async def _prepare(url: str, *, people: int, constraints: str) -> None:
    """What the rows refer to: tenant 1 with groups, people (numbered from 0) and a role."""
    connection = await asyncpg.connect(url)
    await connection.execute(_DIRECTORY.format(groups=GROUPS, people=people))
    if constraints:
        await connection.execute(constraints)
    await connection.execute("VACUUM ANALYZE app_user")
    await connection.close()
