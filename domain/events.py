"""What has happened, for subscribers: ids and keys, never a name or an e-mail.

Within an operation events are ordered by type as listed here, then by item, and anew from where a subject returns;
the pass numbers them under the lock.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum, unique
from json.encoder import encode_basestring
from typing import NamedTuple

from domain.errors import JSON


@unique
class EventType(StrEnum):
    """The types, in the order in which one operation announces them. The wire adds `seatline.` and `.v1`."""

    USER_UPDATED = "user.updated"
    GROUP_UPDATED = "group.updated"
    LICENSE_UPDATED = "license.updated"
    GROUP_ASSIGNMENT_CREATED = "group_assignment.created"
    GROUP_ASSIGNMENT_DELETED = "group_assignment.deleted"
    ENTITLEMENT_REVOKED = "entitlement.revoked"
    ENTITLEMENT_WAITING = "entitlement.waiting"
    ENTITLEMENT_GRANTED = "entitlement.granted"
    LICENSE_ASSIGNMENT_UPDATED = "license_assignment.updated"
    GROUP_LICENSE_UPDATED = "group_license.updated"
    LICENSE_UTILISATION = "license.utilisation"
    LICENSE_EXHAUSTED = "license.exhausted"
    LICENSE_AVAILABLE = "license.available"
    USER_DELETED = "user.deleted"
    GROUP_DELETED = "group.deleted"
    OPERATION_FINISHED = "operation.finished"


ORDER = {event_type: place for place, event_type in enumerate(EventType)}


class Event(NamedTuple):
    """One thing that happened. `subject` is a path within the tenant, such as `groups/sales/users/ann/roles/lead`.

    `data` is what it says, or the JSON text of that, where many of its kind are made.
    """

    type: EventType
    subject: str
    data: Mapping[str, JSON] | str

    def said(self) -> Mapping[str, JSON]:
        """What it says, read back where it is text."""
        if not isinstance(self.data, str):
            return self.data
        said: dict[str, JSON] = json.loads(self.data)
        return said


class EventRun(NamedTuple):
    """Many things of one type that happened: subjects and data as the JSON texts that they are on the wire."""

    type: EventType
    subjects: Sequence[str]
    data: Sequence[str]


Told = Event | EventRun


def named(number: int, key: str) -> str:
    """What an event names, such as a group or a licence, as JSON text: its id and the upstream's key."""
    return f'{{"id":{number},"key":{encode_basestring(key)}}}'
