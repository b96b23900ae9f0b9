"""Cascades in bulk: what is told of the roles that are taken is what the book would have told, one row at a time."""

import json
from datetime import UTC, datetime

import pytest

from domain.book import AssignmentBook, AssignmentKey, Held, Names
from domain.cascades import Taken, told_of_taken
from domain.sources import Source

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("group", ["sales", 'a "quoted" one', "straße\\\n\x7f"])
def test_the_run_says_what_the_events_would(group):
    rows = [
        Taken(9, group, number, f"p{number}/é", role, f"r{role}", sources)
        for number in (3, 4)
        for role, sources in ((1, Source.MANUAL), (2, Source.PRIMARY | Source.RULE))
    ]
    names = Names(
        groups={9: group},
        users={row.user_id: row.user_key for row in rows},
        roles={row.role_id: row.role_key for row in rows},
    )
    book = AssignmentBook({AssignmentKey(1, 9, row.user_id, row.role_id): Held(row.sources, AT) for row in rows}, names)
    events = list(book.remove(book.rows()))
    run = told_of_taken(rows)
    assert {event.type for event in events} == {run.type}
    assert [json.loads(subject) for subject in run.subjects] == [event.subject for event in events]
    assert [json.loads(data) for data in run.data] == [event.said() for event in events]
