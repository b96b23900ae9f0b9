"""One representative event of every type, and the schemas in docs/events that hold for them."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from domain.events import Event, EventType
from infra.cloudevents import NumberedEvent, wire_type

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"
OPERATION_ID = UUID("0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40")
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_GROUP = {"id": 12, "key": "sales"}
_USER = {"id": 4711, "key": "ann.lee@example.org"}
_ASSIGNMENT = {"group": _GROUP, "user": _USER, "role": {"id": 3, "key": "lead"}}
_ASSIGNED = "groups/sales/users/ann.lee@example.org/roles/lead"
_OPERATION = {"id": str(OPERATION_ID), "kind": "group_assignments.change", "status": "partially_succeeded"}

SAMPLES: dict[EventType, Event] = {
    event.type: event
    for event in (
        Event(
            type=EventType.USER_UPDATED,
            subject="users/ann.lee@example.org",
            data={"user": _USER, "active": False},
        ),
        Event(type=EventType.GROUP_UPDATED, subject="groups/sales", data={"group": _GROUP}),
        Event(
            type=EventType.GROUP_ASSIGNMENT_CREATED,
            subject=_ASSIGNED,
            data={**_ASSIGNMENT, "sources": ["PRIMARY", "MANUAL"]},
        ),
        Event(type=EventType.GROUP_ASSIGNMENT_DELETED, subject=_ASSIGNED, data={**_ASSIGNMENT, "sources": ["MANUAL"]}),
        Event(type=EventType.USER_DELETED, subject="users/ann.lee@example.org", data={"user": _USER}),
        Event(type=EventType.GROUP_DELETED, subject="groups/sales", data={"group": _GROUP}),
        Event(type=EventType.OPERATION_FINISHED, subject=f"operations/{OPERATION_ID}", data={"operation": _OPERATION}),
    )
}


def numbered(event: Event, sequence: int = 1, *, previous: int = 0, traceparent: str | None = None) -> NumberedEvent:
    """The event at a place of the log."""
    return NumberedEvent(
        event=event, sequence=sequence, previous=previous, operation_id=OPERATION_ID, traceparent=traceparent
    )


def assert_documented(event: dict[str, Any]) -> None:
    """Hold a CloudEvent against the schema of its type, and allow no field that the schema does not name."""
    _validator(event["type"]).validate(event)


@cache
def _validator(event_type: str) -> Draft202012Validator:
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.schema.json")}
    registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in schemas.items())
    schema = _closed(schemas[schema_name(event_type)])
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())


def schema_name(event_type: str) -> str:
    """The file of a wire type: `seatline.user.updated.v1` is in user.updated.v1.schema.json."""
    return f"{event_type.removeprefix('seatline.')}.schema.json"


def _closed(schema: Any) -> Any:
    """Subscribers must take fields that are added later; the service itself must not send undocumented ones."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {**closed, "unevaluatedProperties": False} if "properties" in closed else closed


def all_wire_types() -> list[str]:
    """Every type as it stands in the `type` attribute."""
    return [wire_type(event_type) for event_type in EventType]
