"""What is told of roles that a cascade takes from many people, made in bulk.

One rule: what is told here is what AssignmentBook would have told, one row at a time; a test holds the two together.
"""

from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from domain.entitlements import Named
from domain.events import EventRun, EventType
from domain.sources import Source, names


class Taken(NamedTuple):
    """A role that somebody had in the group that is being deleted."""

    user_id: int
    user_key: str
    role_id: int
    role_key: str
    sources: Source


def told_of_taken(group: Named, rows: Sequence[Taken]) -> EventRun:
    """A `group_assignment.deleted` for each of the rows."""
    key = encode_basestring(group.key)
    before = f'{{"group":{{"id":{group.id},"key":{key}}},"user":{{"id":'
    subject = f'"groups/{key[1:-1]}/users/'
    # A group has few roles and few kinds of sources, however many people.
    roles = {(row.role_id, row.role_key): encode_basestring(row.role_key) for row in rows}
    sources = {row.sources: _sources(row.sources) for row in rows}
    subjects: list[str] = []
    data: list[str] = []
    for row in rows:
        user, role = encode_basestring(row.user_key), roles[row.role_id, row.role_key]
        subjects.append(f"{subject}{user[1:-1]}/roles/{role[1:]}")
        data.append(
            f'{before}{row.user_id},"key":{user}}},"role":{{"id":{row.role_id},"key":{role}}},'
            f'"sources":{sources[row.sources]}}}'
        )
    return EventRun(type=EventType.GROUP_ASSIGNMENT_DELETED, subjects=subjects, data=data)


def _sources(sources: Source) -> str:
    return "[" + ",".join(encode_basestring(str(name)) for name in names(sources)) + "]"
