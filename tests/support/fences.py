"""A plain connection behind the second fence, as the API's reads are, and what the search functions run."""

import re

import asyncpg

from infra.postgres.fences import READER
from infra.postgres.statements import Statement, compile_block


async def act_as_reader(sql: asyncpg.Connection, tenant_id: int) -> None:
    """From now on the connection sees what the tenant's reads see."""
    await sql.execute(f"SET ROLE {READER}; SET seatline.tenant_id = {tenant_id}")


async def act_as_owner(sql: asyncpg.Connection) -> None:
    """Back to what the connection logged in as."""
    await sql.execute("RESET ROLE; RESET seatline.tenant_id")


async def inside(sql: asyncpg.Connection, function: str) -> Statement:
    """The one statement that a search function runs, with the function's arguments as binds."""
    row = await sql.fetchrow(_FUNCTION, function)
    [statement] = re.findall(r"RETURN(?: QUERY)?\s+\(?\s*(SELECT .*?)\)?;", row["prosrc"], flags=re.DOTALL)
    arguments = dict(zip(row["proargnames"], row["types"], strict=False))  # names of results come behind
    for name, kind in arguments.items():
        statement = re.sub(rf"(?<![.\w:]){name}\b", f"CAST(:{name} AS {kind})", statement)
    return compile_block(function, statement)


_FUNCTION = """
SELECT prosrc, proargnames,
       ARRAY(SELECT format_type(one.type, NULL)
               FROM unnest(CAST(proargtypes AS oid[])) WITH ORDINALITY AS one (type, place) ORDER BY place) AS types
  FROM pg_proc WHERE proname = $1
"""
