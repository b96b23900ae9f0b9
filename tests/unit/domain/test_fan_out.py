"""Members served in bulk are told of as one by one."""

import json
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from domain.entitlements import Named, State, entitlement_event
from domain.events import EventType
from domain.fan_out import told_of_newcomers

KEY = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


class Somebody(NamedTuple):
    """Who has nothing yet."""

    user_id: int
    key: str
    fresh_id: int


@settings(max_examples=60, deadline=None, database=None)
@given(keys=st.lists(KEY, max_size=5), names=st.tuples(KEY, KEY), data=st.data())
def test_a_run_says_what_the_events_of_its_rows_say(keys, names, data):
    license_of, group = Named(7, names[0]), Named(9, names[1])
    people = [Somebody(n, key, n + 100) for n, key in enumerate(keys)]
    states = [data.draw(st.sampled_from((State.ACTIVE, State.QUEUED, State.BLOCKED))) for _ in people]
    told = [
        (run.type, subject, text)
        for run in told_of_newcomers(license_of, group, people, states)
        for subject, text in zip(run.subjects, run.data, strict=True)
    ]
    events = [
        entitlement_event(
            EventType.ENTITLEMENT_GRANTED if state is State.ACTIVE else EventType.ENTITLEMENT_WAITING,
            license_of=license_of,
            user=Named(one.user_id, one.key),
            assignment_id=one.fresh_id,
            state=state.shown,
            groups=[group],
            direct=False,
        )
        for one, state in zip(people, states, strict=True)
    ]
    expected = [(event.type, json.loads(to_json(event.subject)), event.data) for event in events]
    read = [(event_type, json.loads(subject), json.loads(text)) for event_type, subject, text in told]
    assert read == sorted(expected, key=lambda one: one[0] is EventType.ENTITLEMENT_GRANTED)
