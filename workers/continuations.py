"""What goes on in chunks, moved on by whoever meets it: a chunk of its own, or a command that touches its people.

One rule: touch is reach. Before anything is decided about a person, what was asked earlier and has not come to them yet
is applied to them, in the order in which it was asked.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from domain.continuations import Continuation, Continuing
from domain.dead_letters import fingerprint_of
from domain.errors import ErrorCode
from domain.events import Told
from domain.planning import Reached
from infra.postgres.continuation_people import read_unreached
from infra.postgres.continuations import (
    count_failed_chunk,
    end_continuations,
    end_operations,
    fail_running,
    move_continuations,
    read_running,
)
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import Failure, count_dead_letters
from infra.postgres.group_licenses import remove_grants
from infra.postgres.passes import Announced, Held, TenantLog, record
from workers.announcing import announce, finished_event
from workers.cascades import CASCADES, finish_cascade
from workers.steps import Step, Upcoming, take_step, touch

ATTEMPTS = 3
"""An operation whose chunks raise this often, one after the other, is failed."""

People = Iterable[tuple[int, int]]


async def reach(tx: Transaction, people: People, at: datetime) -> dict[int, list[Reached]]:
    """Apply what goes on in chunks to these (tenant, user) people; returns what is told of it, by tenant.

    One statement where nothing goes on, which is nearly always. Where the result is not empty, rows of these people
    that were read earlier are to be read again.
    """
    pairs = set(people)
    running = await read_running(tx, {tenant_id for tenant_id, _ in pairs}) if pairs else []
    reached: dict[int, list[Reached]] = {}
    for of, told in await reach_by(tx, running, pairs, at):
        reached.setdefault(of.tenant_id, []).append(
            Reached(operation_id=of.operation_id, events=told, traceparent=of.traceparent)
        )
    return reached


async def reach_by(
    tx: Transaction, running: Sequence[Continuation], people: People, at: datetime
) -> list[tuple[Continuation, list[Told]]]:
    """Apply these continuations, the oldest first, to those of the people whom they have not come to yet.

    Each is asked for its people anew, since what was applied before it may have changed what they have.
    """
    pairs, told = set(people), list[tuple[Continuation, list[Told]]]()
    rest = list(running) if pairs else []
    while rest:
        unreached = await read_unreached(tx, rest, pairs)
        due = next((place for place, one in enumerate(rest) if one.id in unreached), None)
        if due is None:
            break
        of = rest[due]
        told.append((of, await touch(tx, of, unreached[of.id], at)))
        await move_continuations(tx, [(of, len(unreached[of.id]))])
        rest = rest[due + 1 :]
    return told


async def oldest(tx: Transaction, log: TenantLog) -> Continuation | None:
    """What the tenant's next chunk is about; None where nothing goes on."""
    running = await read_running(tx, [log.tenant_id])
    return running[0] if running else None


async def continue_one(
    tx: Transaction, log: TenantLog, of: Continuation, upcoming: Upcoming, *, rows: int, ending: Callable[[], int]
) -> Step:
    """Take one step of a continuation and tell of it.

    `ending` is called when all is written but that; it returns the worker that has named the operation.
    """
    announced: list[Announced] = []

    async def tell(told: Iterable[Told]) -> None:
        announced.extend(await _announced(log, of, told))

    step = await take_step(tx, of, upcoming, rows=rows, at=log.at, tell=tell)
    await move_continuations(tx, [(of, step.touched)], by_chunk=True)
    for one in step.reached:
        announced += await _announced(log, one, one.events)
    if not step.more:
        await finish(tx, of)
        ended = await end_operations(tx, of.tenant_id, [of.operation_id])
        await tell([finished_event(one.id, one.kind, one.status) for one in ended])
    await record(tx, finished=[], announced=announced, logs=[log], held=Held(ending(), [of.operation_id]))
    return step


async def _announced(log: TenantLog, cause: Continuation | Reached, told: Iterable[Told]) -> list[Announced]:
    """The messages of what is told, each made for itself: a pass of another tenant waits for one, not for fifty."""
    messages: list[Announced] = []
    for message in announce(log, cause.operation_id, cause.traceparent, told):
        messages.append(message)
        await asyncio.sleep(0)
    return messages


async def count_failure(tx: Transaction, log: TenantLog, reason: str) -> Continuation | None:
    """A chunk of the tenant's oldest continuation has raised; returns it where its operation has failed by that."""
    running = await read_running(tx, [log.tenant_id])
    if not running or await count_failed_chunk(tx, running[0]) < ATTEMPTS:
        return None
    await give_up(tx, log, running[0], ErrorCode.OPERATION_RAISED, reason)
    return running[0]


async def give_up(tx: Transaction, log: TenantLog, of: Continuation, code: ErrorCode, reason: str) -> None:
    """Fail the operation and end all that it has begun; what it has done stays, what was left of it is remembered."""
    kind = of.operation_kind
    fingerprint = fingerprint_of(kind=kind, code=code.value, message=reason)
    ended = await fail_running(tx, of, {"code": code.value, "message": reason}, error_group=fingerprint)
    failure = Failure(tenant_id=of.tenant_id, fingerprint=fingerprint, kind=kind, code=code.value, message=reason)
    await count_dead_letters(tx, [failure])
    told = [finished_event(one.id, one.kind, one.status) for one in ended]
    await record(tx, finished=[], announced=list(announce(log, of.operation_id, of.traceparent, told)), logs=[log])


async def finish(tx: Transaction, of: Continuation) -> None:
    """What is left to do when nobody is left to come to."""
    if of.id:
        await end_continuations(tx, of.tenant_id, [of.id])
    if of.kind in {Continuing.WITHDRAW, Continuing.CONVERT}:
        await remove_grants(tx, of.tenant_id, [of.target.id])
    if of.kind in CASCADES:
        await finish_cascade(tx, of)
