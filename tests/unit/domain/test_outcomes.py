"""An operation's state follows from its items; instants and documents are written one way."""

from datetime import UTC, datetime

import pytest

from domain.errors import ErrorCode, Refusal
from domain.events import ORDER, Event, EventType
from domain.outcomes import (
    Assigned,
    Deleted,
    OperationStatus,
    Person,
    Result,
    Stored,
    Unassigned,
    document,
    timestamp,
)
from domain.planning import in_order

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DONE = Deleted(key="ann", id=1)
REFUSED = Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field="key")
PERSON = Person(id=1, key="ann", first_name="Ann", last_name="Lee", department="Sales", active=True)


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], OperationStatus.SUCCEEDED),
        ([DONE], OperationStatus.SUCCEEDED),
        ([DONE, REFUSED], OperationStatus.PARTIALLY_SUCCEEDED),
        ([REFUSED, REFUSED], OperationStatus.REJECTED),
    ],
)
def test_the_items_decide_the_state_of_the_operation(outcomes, status):
    assert Result(outcomes=outcomes, titles={}).status is status


def test_only_what_is_queued_or_running_is_open():
    assert [status for status in OperationStatus if status.is_open] == ["queued", "running"]


def test_every_outcome_has_its_document():
    outcomes = [
        Assigned(group="g", user=PERSON, role="lead", sources=("RULE", "MANUAL"), created_at=AT),
        Unassigned(group="g", user="ann", role="lead"),
        Stored(key="g", id=7, created=True, user_count=3),
        Stored(key="ann", id=8, created=False),
        DONE,
        Refusal(code=ErrorCode.INVALID_ITEM, field="user_id", details={"reason": "too long"}),
        Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS),
    ]
    assert document(Result(outcomes=outcomes, titles={"lead": {"en": "Lead"}})) == {
        "items": [
            {
                "outcome": "assigned",
                "group": "g",
                "user": {
                    "key": "ann",
                    "first_name": "Ann",
                    "last_name": "Lee",
                    "department": "Sales",
                    "active": True,
                },
                "role": "lead",
                "sources": ["RULE", "MANUAL"],
                "created_at": "2026-01-02T03:04:05.000000Z",
            },
            {"outcome": "unassigned", "group": "g", "user": "ann", "role": "lead"},
            {"outcome": "created", "key": "g", "id": 7, "user_count": 3},
            {"outcome": "replaced", "key": "ann", "id": 8},
            {"outcome": "deleted", "key": "ann", "id": 1},
            {"outcome": "refused", "code": "INVALID_ITEM", "field": "user_id", "details": {"reason": "too long"}},
            {"outcome": "refused", "code": "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"},
        ],
        "titles": {"lead": {"en": "Lead"}},
    }


def test_a_document_without_titles_has_none():
    assert document(Result(outcomes=[DONE], titles={})).keys() == {"items"}


def test_instants_have_microseconds_and_a_z():
    assert timestamp(AT.replace(microsecond=70)) == "2026-01-02T03:04:05.000070Z"


def test_events_of_an_operation_go_by_type_and_those_of_a_type_stay_by_item():
    events = [
        Event(type=event_type, subject=f"{event_type}/{place}", data={})
        for place in range(2)
        for event_type in reversed(EventType)
    ]
    ordered = in_order(events)
    assert [event.type for event in ordered] == [event_type for event_type in EventType for _ in range(2)]
    assert [event.subject[-1] for event in ordered] == ["0", "1"] * len(EventType)
    assert max(ORDER, key=lambda event_type: ORDER[event_type]) is EventType.OPERATION_FINISHED
