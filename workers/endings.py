"""How operations end: what is recorded of each, and what it tells.

One rule: events are numbered when all of a pass is decided, tenant by tenant in accept order, the ends last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.dead_letters import fingerprint_of
from domain.errors import JSON, ErrorCode
from domain.events import Told
from domain.outcomes import OperationStatus
from domain.planning import Reached
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import Failure, count_dead_letters
from infra.postgres.passes import Finished, Held, OpenOperation, TenantLog, record
from workers.announcing import Telling, finished_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one operation ended, or that it goes on in chunks, before its events have numbers."""

    status: OperationStatus
    done: int = 0
    total: int | None = None
    response: Mapping[str, JSON] | None = None
    error: Mapping[str, JSON] | None = None
    reached: Sequence[Reached] = ()
    events: Sequence[Told] = ()


def failure(code: ErrorCode, message: str) -> Ended:
    """The end of an operation that could not be applied: a dead letter."""
    return Ended(status=OperationStatus.FAILED, error={"code": code.value, "message": message})


async def record_ended(
    tx: Transaction,
    operations: Sequence[OpenOperation],
    ended: Mapping[UUID, Ended],
    logs: Mapping[int, TenantLog],
    *,
    worker_id: int | None = None,
) -> None:
    """Record the ends of these operations and number their events, tenant by tenant in accept order, the ends last.

    With `worker_id` that worker has named them, and names them no more; this is the last that the transaction writes.
    """
    tellings = {tenant_id: Telling(log) for tenant_id, log in logs.items()}
    told = {o.id: _tell(o, ended[o.id], tellings[o.tenant_id]) for o in operations if not o.dry_run}
    places: dict[UUID, int] = {}
    for operation in operations:
        status, telling = ended[operation.id].status, tellings[operation.tenant_id]
        if operation.id in told and not status.is_open:
            places[operation.id] = telling.next
            end = finished_event(operation.id, operation.kind, status)
            telling.tell(operation.id, operation.traceparent, [end])
    finished = [_finished(o, ended[o.id], told.get(o.id), places.get(o.id)) for o in operations]
    announced = [message for telling in tellings.values() for message in telling.messages()]
    failures = [_failed(o, ended[o.id].error or {}) for o in operations if ended[o.id].error]
    if failures:
        await count_dead_letters(tx, failures)
    touched = {row.tenant_id for row in announced}
    held = None if worker_id is None else Held(worker_id, [operation.id for operation in operations])
    await record(tx, finished=finished, announced=announced, logs=[logs[t] for t in sorted(touched)], held=held)


class _Told(NamedTuple):
    """What an operation has told before its end: `first` is the place of the first of so many events, or would be."""

    first: int
    events: int


def _tell(operation: OpenOperation, end: Ended, telling: Telling) -> _Told:
    """All but the operation's end, and before it what is told of those that still run and that it has reached."""
    for earlier in end.reached:
        telling.tell_apart(earlier.operation_id, earlier.traceparent, earlier.events)
    first = telling.next
    tell = telling.tell_apart if end.status.is_open else telling.tell
    tell(operation.id, operation.traceparent, end.events)
    return _Told(first, telling.next - first)


def _finished(operation: OpenOperation, ended: Ended, told: _Told | None, place: int | None) -> Finished:
    """`told` is None for a dry run, and `place`, that of its end, for what goes on as well."""
    first = None
    if told is not None:
        # One that goes on may have told nothing yet: what it will tell comes behind what has been numbered.
        first = told.first if told.events or place is None else place
    return Finished(
        tenant_id=operation.tenant_id,
        id=operation.id,
        status=ended.status,
        done=ended.done,
        total=ended.total,
        response=ended.response,
        error=ended.error,
        error_group=None if ended.error is None else _failed(operation, ended.error).fingerprint,
        first_sequence=first,
        last_sequence=place,
        events=None if told is None or place is None else told.events + 1,
    )


def _failed(operation: OpenOperation, error: Mapping[str, JSON]) -> Failure:
    code, message = str(error["code"]), str(error["message"])
    return Failure(
        tenant_id=operation.tenant_id,
        fingerprint=fingerprint_of(kind=operation.kind, code=code, message=message),
        kind=operation.kind,
        code=code,
        message=message,
    )
