"""Handlers that fail for groups of certain names, before the real ones see them: operations that are poison."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.commands import GroupPut, Kind, PutGroups
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from infra.postgres.statements import compile_block
from workers.chunk_sizes import ChunkSizes
from workers.handlers import HANDLERS, Handler, handlers_with

RAISES, VIOLATES, TIMES_OUT = "raises", "violates", "times out"

_SHORT = compile_block("short", "SET LOCAL statement_timeout = '20ms'")
_LONG = compile_block("long", "SELECT count(*) FROM generate_series(1, 1000000000)")
_VIOLATION = compile_block("violation", "INSERT INTO tenant_log (tenant_id) VALUES (CAST(:tenant_id AS bigint))")


class ByDesignError(Exception):
    """What a poisonous operation raises."""


def named(name: str, key: str = "g") -> PutGroups:
    """A command of one group; RAISES, VIOLATES and TIMES_OUT are poison."""
    return PutGroups(items=(GroupPut(key=key, name=name),))


async def _put_groups(tx: Transaction, orders: Sequence[Order[Any]], at: datetime) -> list[Decision]:
    # The real work first: what a failure undoes is then something.
    decisions = await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)
    names = {item.name for order in orders for item in order.command.items}
    if RAISES in names:
        raise ByDesignError("a secret value")
    if VIOLATES in names:
        await tx.execute(_VIOLATION, tenant_id=orders[0].tenant_id)
    if TIMES_OUT in names:
        await tx.execute(_SHORT)
        await tx.execute(_LONG)
    return decisions


BAD_HANDLERS: dict[str, Handler] = {**HANDLERS, Kind.PUT_GROUPS: _put_groups}


def bad_handlers_with(rows: int) -> dict[str, Handler]:
    """The same with chunks of so many rows."""
    return {**handlers_with(ChunkSizes(rows=rows)), Kind.PUT_GROUPS: _put_groups}
