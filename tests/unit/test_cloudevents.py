"""Events on the wire: exact bytes, exact cuts, exact messages."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from domain.events import Event, EventRun, EventType
from infra.cloudevents import NumberedEvent, NumberedRun, encode, encode_run, split, wire_sequence, wire_type
from tests.support.sample_events import (
    SAMPLES,
    SCHEMAS,
    TRACEPARENT,
    all_wire_types,
    assert_documented,
    numbered,
    schema_name,
)

AT = datetime(2026, 5, 4, 3, 2, 1, 120, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
DATA = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
EVENTS = st.builds(Event, type=st.sampled_from(EventType), subject=TEXT.filter(bool), data=DATA)


@given(data=st.lists(st.tuples(TEXT.filter(bool), DATA), min_size=1, max_size=8), count=st.sampled_from((1, 99, 201)))
def test_a_run_is_on_the_wire_as_its_events_one_by_one_would_be(data, count):
    events = [Event(EventType.ENTITLEMENT_GRANTED, *data[n % len(data)]) for n in range(count)]
    first = numbered(events[0], 41, previous=7, traceparent=TRACEPARENT)
    one_by_one = [first, *(first._replace(event=e, sequence=42 + n, previous=41 + n) for n, e in enumerate(events[1:]))]
    texts = [(to_json(event.subject).decode(), to_json(event.data).decode()) for event in events]
    run = EventRun(EventType.ENTITLEMENT_GRANTED, [text[0] for text in texts], [text[1] for text in texts])
    together = NumberedRun(run, 41, 7, first.operation_id, TRACEPARENT)
    expected = list(encode(one_by_one, tenant_key="demo", at=AT))
    assert list(encode_run(together, tenant_key="demo", at=AT)) == expected


def place(events, *, traceparent=None):
    """Number events from 1, as a pass does."""
    last = {}
    placed = []
    for sequence, event in enumerate(events, start=1):
        placed.append(numbered(event, sequence, previous=last.get(event.type, 0), traceparent=traceparent))
        last[event.type] = sequence
    return placed


@pytest.mark.parametrize("event_type", list(EventType))
def test_every_type_is_on_the_wire_as_reviewed(event_type, golden):
    event = SAMPLES[event_type]
    [message] = encode(
        [numbered(event, 41, previous=7, traceparent=TRACEPARENT), numbered(event, 42, previous=41)],
        tenant_key="demo",
        at=AT,
    )
    golden(f"events/{event_type}.json", message.body + b"\n")


@pytest.mark.parametrize("event_type", list(EventType))
def test_every_type_is_documented_by_a_schema(event_type):
    [message] = encode([numbered(SAMPLES[event_type], traceparent=TRACEPARENT)], tenant_key="demo", at=AT)
    [event] = json.loads(message.body)
    assert event["type"] == wire_type(event_type)
    assert_documented(event)


def test_every_schema_is_of_a_type_that_exists():
    schemas = {path.name for path in SCHEMAS.glob("*.schema.json")}
    assert schemas == {schema_name(event_type) for event_type in all_wire_types()} | {"cloudevent.schema.json"}


def test_the_index_names_every_type():
    index = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    assert [event_type for event_type in all_wire_types() if event_type not in index] == []


def test_the_attributes_stand_in_a_fixed_order():
    [message] = encode([numbered(SAMPLES[EventType.USER_UPDATED], traceparent="t")], tenant_key="demo", at=AT)
    [event] = json.loads(message.body)
    core = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype"]
    extensions = ["tenantid", "sequence", "previous", "operationid", "traceparent"]
    assert list(event) == [*core, *extensions, "data"]


def test_time_is_utc_with_microseconds():
    west = AT.astimezone(timezone(-timedelta(hours=7)))
    [message] = encode([numbered(SAMPLES[EventType.USER_UPDATED])], tenant_key="demo", at=west)
    assert json.loads(message.body)[0]["time"] == "2026-05-04T03:02:01.000120Z"


def test_a_message_is_cut_at_every_change_of_type():
    user, group = SAMPLES[EventType.USER_UPDATED], SAMPLES[EventType.GROUP_UPDATED]
    messages = encode(place([user, user, group, user]), tenant_key="demo", at=AT)
    assert [(m.type, m.first_sequence, m.last_sequence, m.routing_key) for m in messages] == [
        ("user.updated", 1, 2, "demo.user.updated"),
        ("group.updated", 3, 3, "demo.group.updated"),
        ("user.updated", 4, 4, "demo.user.updated"),
    ]


def test_a_message_is_cut_after_a_hundred_events():
    messages = encode(place([SAMPLES[EventType.USER_UPDATED]] * 201), tenant_key="demo", at=AT)
    assert [(m.first_sequence, m.last_sequence) for m in messages] == [(1, 100), (101, 200), (201, 201)]


def test_a_message_is_cut_where_the_sequence_jumps():
    event = SAMPLES[EventType.USER_UPDATED]
    messages = encode([numbered(event, 1), numbered(event, 3)], tenant_key="demo", at=AT)
    assert [(m.first_sequence, m.last_sequence) for m in messages] == [(1, 1), (3, 3)]


def test_no_events_are_no_messages():
    assert list(encode([], tenant_key="demo", at=AT)) == []


def test_each_event_of_a_message_names_its_own_operation():
    operations = [uuid4(), uuid4(), uuid4()]
    events = [
        NumberedEvent(
            event=SAMPLES[EventType.USER_UPDATED],
            sequence=sequence,
            previous=sequence - 1,
            operation_id=UUID(str(operation_id)),
            traceparent=None,
        )
        for sequence, operation_id in enumerate(operations, start=1)
    ]
    [message] = encode(events, tenant_key="demo", at=AT)
    assert [event["operationid"] for event in json.loads(message.body)] == [str(o) for o in operations]


@given(st.lists(EVENTS, min_size=1, max_size=12), st.none() | TEXT)
def test_what_is_encoded_is_json_and_says_what_was_given(events, traceparent):
    placed = place(events, traceparent=traceparent)
    messages = encode(placed, tenant_key="demo", at=AT)
    decoded = [event for message in messages for event in json.loads(message.body)]
    assert [event["data"] for event in decoded] == [dict(event.data) for event in events]
    assert [event["subject"] for event in decoded] == [event.subject for event in events]
    assert [event.get("traceparent") for event in decoded] == [traceparent] * len(events)
    assert [event["sequence"] for event in decoded] == [wire_sequence(item.sequence) for item in placed]
    assert [event["previous"] for event in decoded] == [wire_sequence(item.previous) for item in placed]


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_cutting_a_body_gives_the_bytes_of_its_events_and_joining_them_gives_the_body(events):
    for message in encode(place(events), tenant_key="demo", at=AT):
        cut = split(message.body)
        assert [json.loads(event) for event in cut] == json.loads(message.body)
        assert b"[" + b",\n".join(cut) + b"]" == message.body


@given(st.lists(EVENTS, min_size=2, max_size=12), st.data())
def test_an_events_bytes_do_not_depend_on_its_neighbours(events, data):
    placed = place(events)
    border = data.draw(st.integers(0, len(placed)))
    together = list(encode(placed, tenant_key="demo", at=AT))
    apart = [*encode(placed[:border], tenant_key="demo", at=AT), *encode(placed[border:], tenant_key="demo", at=AT)]
    assert [e for m in together for e in split(m.body)] == [e for m in apart for e in split(m.body)]
