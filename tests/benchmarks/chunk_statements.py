"""The statements of a fan-out's chunks alone, one after the other: what Postgres and its driver take of a chunk.

One rule: the statements are the worker's own, and what they write is made before; nothing is decided, nothing told.
"""

import dataclasses
import time
from collections.abc import Sequence
from uuid import UUID

from domain.continuations import Continuation, Continuing
from domain.entitlements import Named, State
from domain.fan_out import told_of_newcomers
from infra.postgres.continuation_people import Person, add_holders, next_members
from infra.postgres.database import Database, Transaction
from infra.postgres.passes import Announced, TenantLog, lock_tenants, record
from workers.announcing import announce
from workers.chunk_sizes import MOST_ROWS

_OPERATION = UUID(int=1)
_ROW = "row"


async def seconds(url: str, *, tenant_id: int, group_id: int, license_id: int, members: int) -> float:
    """How long they take to give a group a licence of which nobody has anything.

    Raises:
        RuntimeError: they have not come to everybody.
    """
    database = Database(url, size=1, plans_once=True)
    of = Continuation(
        tenant_id=tenant_id,
        operation_id=_OPERATION,
        operation_seq=1,
        kind=Continuing.GIVE,
        target=Named(license_id, _ROW),
        license_id=license_id,
        group_id=group_id,
    )
    try:
        messages = await _messages(database, of)
        began, came_to = time.perf_counter(), 0
        while chunk := await _chunk(database, of, messages):
            came_to += chunk
        took = time.perf_counter() - began
    finally:
        await database.close()
    if came_to != members:
        raise RuntimeError(f"{members} members, but the statements came to {came_to}")
    return took


async def _chunk(database: Database, of: Continuation, messages: Sequence[Announced]) -> int:
    """One transaction; how many people it came to."""
    async with database.transaction() as tx:
        logs = await lock_tenants(tx, [of.tenant_id])
        people = (await next_members(tx, of, MOST_ROWS + 1))[:MOST_ROWS]
        if people:
            await add_holders(tx, of, people, [State.ACTIVE] * len(people))
            of.cursor = people[-1].user_id
            await _tell(tx, logs[of.tenant_id], messages)
    return len(people)


async def _messages(database: Database, of: Continuation) -> list[Announced]:
    """The messages of a whole chunk, which all of them write."""
    async with database.transaction() as tx:
        logs = await lock_tenants(tx, [of.tenant_id])
    people = [Person(number, None, f"m{number}", number) for number in range(1, MOST_ROWS + 1)]
    told = told_of_newcomers(of.target, of.target, people, [State.ACTIVE] * len(people))
    return list(announce(logs[of.tenant_id], of.operation_id, None, told))


async def _tell(tx: Transaction, log: TenantLog, messages: Sequence[Announced]) -> None:
    numbered: list[Announced] = []
    for one in messages:
        first = log.event_seq + 1
        log.event_seq += one.message.last_sequence - one.message.first_sequence + 1
        message = dataclasses.replace(one.message, first_sequence=first, last_sequence=log.event_seq)
        numbered.append(dataclasses.replace(one, message=message))
    await record(tx, finished=[], announced=numbered, logs=[log])
