"""What operations tell subscribers: events get their places in the tenant's log and become messages of the outbox.

One rule: only the holder of the tenant's lock numbers, and what it has numbered is written in the same transaction.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from uuid import UUID

from domain.events import Event, EventRun, EventType, Told
from domain.outcomes import OperationStatus
from infra.cloudevents import NumberedRun, encode, run_of
from infra.postgres.outbox_bodies import pack
from infra.postgres.passes import Announced, TenantLog


def announce(log: TenantLog, operation_id: UUID, traceparent: str | None, told: Iterable[Told]) -> Iterator[Announced]:
    """Number what one operation tells, in this order, and yield its messages: a new one at every change of type."""
    for run in _runs(told):
        sequence, previous = _place(log, run.type, len(run.data))
        numbered = NumberedRun(run, sequence, previous, operation_id, traceparent)
        for message in encode(numbered, tenant_key=log.key, at=log.at):
            yield Announced(
                tenant_id=log.tenant_id, operation_id=operation_id, message=message, stored=pack(message.body)
            )


def finished_event(operation_id: UUID, kind: str, status: OperationStatus) -> Event:
    """An `operation.finished`: the last that an operation tells."""
    return Event(
        type=EventType.OPERATION_FINISHED,
        subject=f"operations/{operation_id}",
        data={"operation": {"id": str(operation_id), "kind": kind, "status": status.value}},
    )


def _runs(told: Iterable[Told]) -> Iterator[EventRun]:
    for (is_run, _), part in groupby(told, key=lambda one: (isinstance(one, EventRun), one.type)):
        if is_run:
            yield from (one for one in part if isinstance(one, EventRun) and one.data)
        else:
            yield run_of([one for one in part if isinstance(one, Event)])


def _place(log: TenantLog, event_type: EventType, count: int) -> tuple[int, int]:
    """The next so many places: the first sequence, and the last one of the type before it."""
    first, previous = log.event_seq + 1, log.type_seq.get(event_type, 0)
    log.event_seq += count
    log.type_seq[event_type] = log.event_seq
    return first, previous
