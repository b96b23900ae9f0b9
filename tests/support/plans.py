"""Looks at the plan of a SQL block as it runs: which steps read a big table as a whole, or more rows than a bound."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from infra.postgres.statements import Statement


async def unbounded_steps(
    sql: asyncpg.Connection, statement: Statement, values: Mapping[str, Any], *, tables: Collection[str], bound: int
) -> list[str]:
    """The steps of the block, run with these values, that read one of the `tables` by more than `bound` rows."""
    await sql.execute(f"PREPARE looked_at AS {statement.sql}")
    given = ", ".join(_literal(values[bind]) for bind in statement.binds)
    arguments = f"({given})" if given else ""
    plan = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at {arguments}")
    await sql.execute("DEALLOCATE looked_at")
    return list(_unbounded(json.loads(plan)[0]["Plan"], tables, bound))


def _unbounded(plan: Mapping[str, Any], tables: Collection[str], bound: int) -> Iterator[str]:
    touched = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    table = plan.get("Relation Name")
    if table in tables and (plan["Node Type"] == "Seq Scan" or touched > bound):
        yield f"{plan['Node Type']} of {table} touches {touched} rows"
    for step in plan.get("Plans", []):
        yield from _unbounded(step, tables, bound)


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return f"ARRAY[{', '.join(_literal(item) for item in value)}]"
        case bool() | int():
            return str(value)
        case timedelta():
            return f"interval '{value.total_seconds()} s'"
        case UUID():
            return f"CAST('{value}' AS uuid)"
        case datetime():
            return f"'{value.isoformat()}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
