"""What the operations of a pass tell: each in its place, with as few messages as their types allow."""

import json
from datetime import UTC, datetime
from uuid import UUID

from domain.events import Event, EventType
from infra.postgres.passes import TenantLog
from workers.announcing import Telling

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
TRACED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def log():
    return TenantLog(tenant_id=7, key="demo", event_seq=40, type_seq={"group.updated": 12}, at=AT)


def things(event_type, count):
    return [Event(event_type, f"things/{number}", {"number": number}) for number in range(count)]


def places(messages):
    """Of each message its operation, its type and its sequences."""
    return [
        (row.operation_id, row.message.type, row.message.first_sequence, row.message.last_sequence) for row in messages
    ]


def test_operations_that_tell_of_one_type_share_messages():
    telling = Telling(log())
    telling.tell(FIRST, None, things(EventType.GROUP_UPDATED, 60))
    telling.tell(SECOND, TRACED, things(EventType.GROUP_UPDATED, 60))
    messages = telling.messages()
    assert places(messages) == [(FIRST, "group.updated", 41, 140), (SECOND, "group.updated", 141, 160)]
    events = [event for row in messages for event in json.loads(row.message.body)]
    assert [event["operationid"] for event in events] == [str(FIRST)] * 60 + [str(SECOND)] * 60
    assert [event.get("traceparent") for event in events] == [None] * 60 + [TRACED] * 60
    assert [int(event["sequence"]) for event in events] == list(range(41, 161))
    assert [int(event["previous"]) for event in events] == [12, *range(41, 160)]
    assert [event["subject"] for event in events] == [f"things/{number}" for number in range(60)] * 2


def test_a_message_ends_where_the_type_changes():
    of = log()
    telling = Telling(of)
    for number in (FIRST, SECOND):
        telling.tell(number, None, [*things(EventType.USER_UPDATED, 1), *things(EventType.GROUP_UPDATED, 2)])
    assert places(telling.messages()) == [
        (FIRST, "user.updated", 41, 41),
        (FIRST, "group.updated", 42, 43),
        (SECOND, "user.updated", 44, 44),
        (SECOND, "group.updated", 45, 46),
    ]
    assert (of.event_seq, of.type_seq) == (46, {"user.updated": 44, "group.updated": 46})


def test_what_is_told_apart_shares_no_message_and_keeps_its_place():
    telling = Telling(log())
    for number, tell in ((FIRST, telling.tell), (SECOND, telling.tell_apart), (THIRD, telling.tell)):
        assert telling.next == 40 + number.int
        tell(number, None, things(EventType.GROUP_UPDATED, 1))
    assert places(telling.messages()) == [
        (number, "group.updated", 40 + number.int, 40 + number.int) for number in (FIRST, SECOND, THIRD)
    ]


def test_nothing_told_is_no_message():
    telling = Telling(log())
    telling.tell(FIRST, None, [])
    telling.tell_apart(SECOND, None, [])
    assert (telling.messages(), telling.next) == ([], 41)
