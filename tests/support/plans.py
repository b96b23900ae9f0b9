"""Looks at the plan of a SQL block as it runs: how it comes to a table, and which steps read too much of one."""

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
    return list(_unbounded(await _plan(sql, statement, values), tables, bound))


async def walks(sql: asyncpg.Connection, statement: Statement, values: Mapping[str, Any], table: str) -> list[str]:
    """Each way in which the block, run with these values, comes to the table, as often as it does."""
    return list(_walks(await _plan(sql, statement, values), table))


async def _plan(sql: asyncpg.Connection, statement: Statement, values: Mapping[str, Any]) -> Mapping[str, Any]:
    await sql.execute(f"PREPARE looked_at AS {statement.sql}")
    given = ", ".join(_literal(values[bind]) for bind in statement.binds)
    arguments = f"({given})" if given else ""
    plan = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at {arguments}")
    await sql.execute("DEALLOCATE looked_at")
    root: Mapping[str, Any] = json.loads(plan)[0]["Plan"]
    return root


def _unbounded(plan: Mapping[str, Any], tables: Collection[str], bound: int) -> Iterator[str]:
    touched = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    table = plan.get("Relation Name")
    if table in tables and (plan["Node Type"] == "Seq Scan" or touched > bound):
        yield f"{plan['Node Type']} of {table} touches {touched} rows"
    for step in plan.get("Plans", []):
        yield from _unbounded(step, tables, bound)


def _walks(plan: Mapping[str, Any], table: str) -> Iterator[str]:
    if plan.get("Relation Name") == table:
        yield from [plan.get("Index Name", plan["Node Type"])] * plan["Actual Loops"]
    for step in plan.get("Plans", []):
        yield from _walks(step, table)


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case []:
            return "'{}'"
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
