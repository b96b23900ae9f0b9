"""One representative event of every type, and the schemas in docs/events that hold for them."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from domain.entitlements import (
    Named,
    PoolCounts,
    entitlement_event,
    group_license_event,
    license_event,
    pool_events,
)
from domain.events import Event, EventType
from infra.cloudevents import NumberedRun, OutboxMessage, cause, run_of, wire_type
from infra.postgres.passes import TenantLog
from workers.announcing import announce

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"
OPERATION_ID = UUID("0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40")
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_GROUP = {"id": 12, "key": "sales"}
_USER = {"id": 4711, "key": "ann.lee@example.org"}
_ASSIGNMENT = {"group": _GROUP, "user": _USER, "role": {"id": 3, "key": "lead"}}
_ASSIGNED = "groups/sales/users/ann.lee@example.org/roles/lead"
_PHOTO = Named(21, "photo-studio")
_SEAT_OF_ANN = {"license_of": _PHOTO, "user": Named(4711, "ann.lee@example.org"), "assignment_id": 90210}
_BY_GROUP = {"groups": [Named(12, "sales")], "direct": False}
_OPERATION = {"id": str(OPERATION_ID), "kind": "group_assignments.change", "status": "partially_succeeded"}


def _pool(used: int, *, waiting: int = 0) -> PoolCounts:
    return PoolCounts(capacity=4, used=used, reserved=0, queued=waiting, waiting=waiting)


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
        entitlement_event(EventType.ENTITLEMENT_REVOKED, **_SEAT_OF_ANN, state="ended", groups=[], direct=True),
        entitlement_event(
            EventType.ENTITLEMENT_WAITING,
            license_of=_PHOTO,
            user=None,
            assignment_id=90211,
            state="waiting",
            groups=[],
            direct=True,
        ),
        entitlement_event(EventType.ENTITLEMENT_GRANTED, **_SEAT_OF_ANN, state="active", **_BY_GROUP),
        entitlement_event(
            EventType.LICENSE_ASSIGNMENT_UPDATED,
            **_SEAT_OF_ANN,
            state="active",
            groups=[Named(12, "sales"), Named(14, "trainers")],
            direct=True,
        ),
        group_license_event(
            license_of=_PHOTO,
            group=Named(12, "sales"),
            assignment_id=501,
            active=True,
            counts={"user_count": 3, "assigned": 2, "waiting": 1, "suspended": 0},
        ),
        license_event(_PHOTO, _pool(2), active=True),
        *pool_events(_PHOTO, _pool(2), _pool(3)),
        *pool_events(_PHOTO, _pool(3), _pool(4, waiting=1)),
        *pool_events(_PHOTO, _pool(4), _pool(3)),
        Event(type=EventType.USER_DELETED, subject="users/ann.lee@example.org", data={"user": _USER}),
        Event(type=EventType.GROUP_DELETED, subject="groups/sales", data={"group": _GROUP}),
        Event(type=EventType.OPERATION_FINISHED, subject=f"operations/{OPERATION_ID}", data={"operation": _OPERATION}),
    )
}


def numbered(event: Event, *, first: int = 1, count: int = 1, previous: int = 0, traced: bool = False) -> NumberedRun:
    """The event, so many times in a row, at its places of the log."""
    causes = repeat(cause(OPERATION_ID, TRACEPARENT if traced else None))
    return NumberedRun(run_of([event] * count), first, previous, causes)


def announced(events: Sequence[Event], *, at: datetime, traceparent: str | None = None) -> list[OutboxMessage]:
    """What a tenant's first operation makes of these events."""
    log = TenantLog(tenant_id=1, key="demo", event_seq=0, type_seq={}, at=at)
    return [one.message for one in announce(log, OPERATION_ID, traceparent, events)]


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
