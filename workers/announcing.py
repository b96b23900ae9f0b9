"""What operations tell subscribers: events get their places in the tenant's log and become messages of the outbox.

One rule: only the holder of the tenant's lock numbers, and what it has numbered is written in the same transaction.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, repeat
from uuid import UUID

from domain.events import Event, EventRun, EventType, Told
from domain.outcomes import OperationStatus
from infra.cloudevents import NumberedRun, cause, encode, run_of
from infra.postgres.outbox_bodies import pack
from infra.postgres.passes import Announced, TenantLog


def announce(log: TenantLog, operation_id: UUID, traceparent: str | None, told: Iterable[Told]) -> Iterator[Announced]:
    """Number what one operation tells, in this order, and yield its messages: a new one at every change of type."""
    for run in _runs(told):
        yield from _placed(log, run, repeat(cause(operation_id, traceparent)), lambda _: operation_id)


class Telling:
    """What the operations of one pass tell of one tenant; what follows on its own type shares messages with it."""

    def __init__(self, log: TenantLog) -> None:
        self._log = log
        self._messages: list[Announced] = []
        self._type: EventType | None = None
        # An entry for each event that has no message yet, all of them of that type.
        self._subjects: list[str] = []
        self._data: list[str] = []
        self._causes: list[str] = []
        self._operations: list[UUID] = []

    @property
    def next(self) -> int:
        """The place of what will be told next."""
        return self._log.event_seq + len(self._data) + 1

    def tell(self, operation_id: UUID, traceparent: str | None, told: Iterable[Told]) -> None:
        """Tell this behind all that was told before."""
        said = cause(operation_id, traceparent)
        for run in _runs(told):
            if run.type is not self._type:
                self._cut()
                self._type = run.type
            self._subjects += run.subjects
            self._data += run.data
            self._causes += [said] * len(run.data)
            self._operations += [operation_id] * len(run.data)

    def tell_apart(self, operation_id: UUID, traceparent: str | None, told: Iterable[Told]) -> None:
        """The same in messages of its own: what goes on in chunks is found in the log by the operation of a message."""
        self._cut()
        self._messages += announce(self._log, operation_id, traceparent, told)

    def messages(self) -> list[Announced]:
        """All that was told, as messages of the outbox."""
        self._cut()
        return self._messages

    def _cut(self) -> None:
        if self._type is None or not self._data:
            return
        run = EventRun(self._type, self._subjects, self._data)
        self._messages += _placed(self._log, run, self._causes, self._operations.__getitem__)
        self._type, self._subjects, self._data, self._causes, self._operations = None, [], [], [], []


def finished_event(operation_id: UUID, kind: str, status: OperationStatus) -> Event:
    """An `operation.finished`: the last that an operation tells."""
    return Event(
        type=EventType.OPERATION_FINISHED,
        subject=f"operations/{operation_id}",
        data={"operation": {"id": str(operation_id), "kind": kind, "status": status.value}},
    )


def _placed(
    log: TenantLog, run: EventRun, causes: Iterable[str], operation_of: Callable[[int], UUID]
) -> Iterator[Announced]:
    """The messages of a run at the next places of the log; `operation_of` says whose the run's n-th event is."""
    first, previous = _place(log, run.type, len(run.data))
    for message in encode(NumberedRun(run, first, previous, causes), tenant_key=log.key, at=log.at):
        yield Announced(
            tenant_id=log.tenant_id,
            operation_id=operation_of(message.first_sequence - first),
            message=message,
            stored=pack(message.body),
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
