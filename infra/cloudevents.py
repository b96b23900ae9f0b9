"""Domain events as CloudEvents 1.0, in JSON arrays of up to 100 events of one type.

One rule: an event is encoded once. The same bytes are stored, published, and cut out again for the HTTP log.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from domain.events import Event, EventRun, EventType

EVENTS_PER_MESSAGE = 100
SEQUENCE_DIGITS = 19

# JSON escapes every line feed inside a string, so one between two events can only be the border between them.
_BORDER = b",\n"


class NumberedRun(NamedTuple):
    """Events of one type in their places: `sequence` is the first one's, the others follow without a gap.

    `previous` is the tenant's last sequence of the same type before them, 0 where there was none. `causes` is what each
    of them says of its operation, as `cause` makes it; they may be more than the events.
    """

    events: EventRun
    sequence: int
    previous: int
    causes: Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One message as it is stored and published: events of one type with consecutive sequences."""

    type: str
    first_sequence: int
    last_sequence: int
    routing_key: str
    body: bytes


class _Envelope(NamedTuple):
    """What all events of one tenant, type and moment have in common, and the texts between what they differ in."""

    type: str
    routing_key: str
    head: str
    kind: str
    fixed: str

    def message(self, first: int, count: int, body: bytes) -> OutboxMessage:
        return OutboxMessage(
            type=self.type,
            first_sequence=first,
            last_sequence=first + count - 1,
            routing_key=self.routing_key,
            body=body,
        )


def wire_type(event_type: str) -> str:
    """The type attribute: `group.updated` is `seatline.group.updated.v1` on the wire."""
    return f"seatline.{event_type}.v1"


def wire_sequence(sequence: int) -> str:
    """A sequence as text that sorts as the number does."""
    return f"{sequence:0{SEQUENCE_DIGITS}d}"


def run_of(events: Sequence[Event]) -> EventRun:
    """Events of one type, at least one, as the texts that they are on the wire."""
    return EventRun(
        type=events[0].type,
        subjects=[encode_basestring(event.subject) for event in events],
        data=[event.data if isinstance(event.data, str) else to_json(event.data).decode() for event in events],
    )


def cause(operation_id: UUID, traceparent: str | None) -> str:
    """What an event says of its operation, from the value of `operationid` up to its own data."""
    traced = "" if traceparent is None else f',"traceparent":{to_json(traceparent).decode()}'
    return f'"{operation_id}"{traced},"data":'


def encode(run: NumberedRun, *, tenant_key: str, at: datetime) -> Iterator[OutboxMessage]:
    """Cut the events into messages of up to 100."""
    envelope = _envelope(run.events.type, tenant_key, at)
    _, _, head, kind, fixed = envelope
    causes = iter(run.causes)
    before = wire_sequence(run.previous)
    for start in range(0, len(run.events.data), EVENTS_PER_MESSAGE):
        end, first = start + EVENTS_PER_MESSAGE, run.sequence + start
        encoded: list[str] = []
        # Causes last: they are more where all have the same, and none is lost when the others have come to their end.
        told = zip(run.events.subjects[start:end], run.events.data[start:end], causes, strict=False)
        for number, (subject, data, said) in enumerate(told, start=first):
            here = wire_sequence(number)
            encoded.append(
                f'{head}{here}{kind}{subject}{fixed}{here}","previous":"{before}","operationid":{said}{data}}}'
            )
            before = here
        yield envelope.message(first, len(encoded), f"[{_BORDER.decode().join(encoded)}]".encode())


def split(body: bytes) -> list[bytes]:
    """The events of a message's body, each the very bytes that were encoded."""
    return body[1:-1].split(_BORDER)


def _envelope(event_type: EventType, tenant_key: str, at: datetime) -> _Envelope:
    time = at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return _Envelope(
        type=event_type.value,
        routing_key=f"{tenant_key}.{event_type.value}",
        head=f'{{"specversion":"1.0","id":"{tenant_key}-',
        kind=f'","source":"/tenants/{tenant_key}","type":"{wire_type(event_type)}","subject":',
        fixed=f',"time":"{time}","datacontenttype":"application/json","tenantid":"{tenant_key}","sequence":"',
    )
