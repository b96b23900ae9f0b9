"""Events on the wire: exact bytes, exact cuts, exact messages."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from domain.events import Event, EventRun, EventType
from infra.cloudevents import encode, split, wire_sequence, wire_type
from tests.support.sample_events import (
    SAMPLES,
    SCHEMAS,
    all_wire_types,
    announced,
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


@pytest.mark.parametrize("event_type", list(EventType))
def test_every_type_is_on_the_wire_as_reviewed(event_type, golden):
    runs = [
        numbered(SAMPLES[event_type], first=41, previous=7, traced=True),
        numbered(SAMPLES[event_type], first=42, previous=41, count=2),
    ]
    bodies = [message.body for run in runs for message in encode(run, tenant_key="demo", at=AT)]
    golden(f"events/{event_type}.json", b"\n".join(bodies) + b"\n")


@pytest.mark.parametrize("event_type", list(EventType))
def test_every_type_is_documented_by_a_schema(event_type):
    [message] = encode(numbered(SAMPLES[event_type], traced=True), tenant_key="demo", at=AT)
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
    [message] = encode(numbered(SAMPLES[EventType.USER_UPDATED], traced=True), tenant_key="demo", at=AT)
    [event] = json.loads(message.body)
    core = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype"]
    extensions = ["tenantid", "sequence", "previous", "operationid", "traceparent"]
    assert list(event) == [*core, *extensions, "data"]


def test_time_is_utc_with_microseconds():
    west = AT.astimezone(timezone(-timedelta(hours=7)))
    [message] = encode(numbered(SAMPLES[EventType.USER_UPDATED]), tenant_key="demo", at=west)
    assert json.loads(message.body)[0]["time"] == "2026-05-04T03:02:01.000120Z"


def test_a_message_is_cut_at_every_change_of_type():
    user, group = SAMPLES[EventType.USER_UPDATED], SAMPLES[EventType.GROUP_UPDATED]
    messages = announced([user, user, group, user], at=AT)
    assert [(m.type, m.first_sequence, m.last_sequence, m.routing_key) for m in messages] == [
        ("user.updated", 1, 2, "demo.user.updated"),
        ("group.updated", 3, 3, "demo.group.updated"),
        ("user.updated", 4, 4, "demo.user.updated"),
    ]


def test_a_message_is_cut_after_a_hundred_events():
    messages = announced([SAMPLES[EventType.USER_UPDATED]] * 201, at=AT)
    assert [(m.first_sequence, m.last_sequence) for m in messages] == [(1, 100), (101, 200), (201, 201)]


def test_no_events_are_no_messages():
    assert announced([], at=AT) == []
    assert announced([EventRun(EventType.USER_UPDATED, [], [])], at=AT) == []


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_data_that_is_text_already_goes_out_as_it_is(events):
    texts = [event._replace(data=to_json(event.data).decode()) for event in events]
    assert announced(texts, at=AT) == announced(events, at=AT)
    assert [text.said() for text in texts] == [event.said() for event in events]


@given(st.lists(EVENTS, min_size=1, max_size=12), st.none() | TEXT)
def test_what_is_encoded_is_json_and_says_what_was_given(events, traceparent):
    decoded = [event for m in announced(events, at=AT, traceparent=traceparent) for event in json.loads(m.body)]
    assert [event["data"] for event in decoded] == [dict(event.data) for event in events]
    assert [event["subject"] for event in decoded] == [event.subject for event in events]
    assert [event.get("traceparent") for event in decoded] == [traceparent] * len(events)
    assert [event["sequence"] for event in decoded] == [wire_sequence(place + 1) for place in range(len(events))]
    last = {}
    for event in decoded:
        assert event["previous"] == last.get(event["type"], wire_sequence(0))
        last[event["type"]] = event["sequence"]


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_cutting_a_body_gives_the_bytes_of_its_events_and_joining_them_gives_the_body(events):
    for message in announced(events, at=AT):
        cut = split(message.body)
        assert [json.loads(event) for event in cut] == json.loads(message.body)
        assert b"[" + b",\n".join(cut) + b"]" == message.body
