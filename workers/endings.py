"""How operations end: what is recorded of each, and what it tells.

One rule: events are numbered when all of a pass is decided, tenant by tenant in accept order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.dead_letters import fingerprint_of
from domain.errors import JSON, ErrorCode
from domain.events import Told
from domain.outcomes import OperationStatus
from domain.planning import Reached
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import Failure, count_dead_letters
from infra.postgres.passes import Announced, Finished, Held, OpenOperation, TenantLog, record
from workers.announcing import announce, finished_event


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
    """Record the ends of these operations and number their events, tenant by tenant in accept order.

    With `worker_id` that worker has named them, and names them no more; this is the last that the transaction writes.
    """
    announced: list[Announced] = []
    finished: list[Finished] = []
    for operation in operations:
        end, tenant_log = ended[operation.id], logs[operation.tenant_id]
        announced += _announce_earlier(operation, end, tenant_log)
        own = list(_announce(operation, end, tenant_log))
        announced += own
        finished.append(_finished(operation, end, own, tenant_log))
    failures = [_failed(o, ended[o.id].error or {}) for o in operations if ended[o.id].error]
    if failures:
        await count_dead_letters(tx, failures)
    touched = {row.tenant_id for row in announced}
    held = None if worker_id is None else Held(worker_id, [operation.id for operation in operations])
    await record(tx, finished=finished, announced=announced, logs=[logs[t] for t in sorted(touched)], held=held)


def _announce_earlier(operation: OpenOperation, ended: Ended, log: TenantLog) -> Iterator[Announced]:
    """What is told of operations that still run and that this one has reached."""
    if not operation.dry_run:
        for earlier in ended.reached:
            yield from announce(log, earlier.operation_id, earlier.traceparent, earlier.events)


def _announce(operation: OpenOperation, ended: Ended, log: TenantLog) -> Iterator[Announced]:
    if operation.dry_run:
        return
    told = list(ended.events)
    if not ended.status.is_open:
        told.append(finished_event(operation.id, operation.kind, ended.status))
    yield from announce(log, operation.id, operation.traceparent, told)


def _finished(operation: OpenOperation, ended: Ended, own: Sequence[Announced], log: TenantLog) -> Finished:
    # One that goes on may have told nothing yet: what it will tell comes behind what has been numbered.
    first = own[0].message.first_sequence if own else None
    return Finished(
        tenant_id=operation.tenant_id,
        id=operation.id,
        status=ended.status,
        done=ended.done,
        total=ended.total,
        response=ended.response,
        error=ended.error,
        error_group=None if ended.error is None else _failed(operation, ended.error).fingerprint,
        first_sequence=log.event_seq + 1 if first is None and ended.status.is_open else first,
        last_sequence=own[-1].message.last_sequence if own and not ended.status.is_open else None,
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
