"""What is told of roles that a cascade takes from many people, made in bulk.

One rule: what is told here is what AssignmentBook would have told, one row at a time; a test holds the two together.
"""

from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from domain.events import EventRun, EventType
from domain.sources import Source, names


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
    # There are few groups, roles and kinds of sources, however many people.
    groups = {(row.group_id, row.group_key): _quoted(row.group_key) for row in rows}
    roles = {(row.role_id, row.role_key): _quoted(row.role_key) for row in rows}
    sources = {row.sources: _sources(row.sources) for row in rows}
    subjects: list[str] = []
    data: list[str] = []
    for row in rows:
        group, role = groups[row.group_id, row.group_key], roles[row.role_id, row.role_key]
        user = _quoted(row.user_key)
        subjects.append(f'"groups/{group}/users/{user}/roles/{role}"')
        data.append(
            f'{{"group":{{"id":{row.group_id},"key":"{group}"}},"user":{{"id":{row.user_id},"key":"{user}"}},'
            f'"role":{{"id":{row.role_id},"key":"{role}"}},"sources":{sources[row.sources]}}}'
        )
    return EventRun(type=EventType.GROUP_ASSIGNMENT_DELETED, subjects=subjects, data=data)


def _quoted(key: str) -> str:
    """As it stands between the quotes of a JSON text."""
    return encode_basestring(key)[1:-1]


def _sources(sources: Source) -> str:
    return "[" + ",".join(f'"{name}"' for name in names(sources)) + "]"
