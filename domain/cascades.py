"""What is told of roles that a cascade takes from many people, made in bulk.

One rule: what is told here is what AssignmentBook would have told, one row at a time; a test holds the two together.
"""

from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from domain.assignment_events import assignment_data, assignment_subject
from domain.events import EventRun, EventType, named
from domain.sources import Source


class Taken(NamedTuple):
    """A role that somebody had in a group, one of which is being deleted."""

    group_id: int
    group_key: str
    user_id: int
    user_key: str
    role_id: int
    role_key: str
    sources: Source


def told_of_taken(rows: Sequence[Taken]) -> EventRun:
    """A `group_assignment.deleted` for each of the rows."""
    # There are few groups and roles, however many people.
    groups = {(row.group_id, row.group_key): named(row.group_id, row.group_key) for row in rows}
    roles = {(row.role_id, row.role_key): named(row.role_id, row.role_key) for row in rows}
    return EventRun(
        type=EventType.GROUP_ASSIGNMENT_DELETED,
        subjects=[encode_basestring(assignment_subject(row.group_key, row.user_key, row.role_key)) for row in rows],
        data=[
            assignment_data(
                groups[row.group_id, row.group_key],
                named(row.user_id, row.user_key),
                roles[row.role_id, row.role_key],
                row.sources,
            )
            for row in rows
        ],
    )
