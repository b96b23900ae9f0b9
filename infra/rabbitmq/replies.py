"""Replies: the ids of finished operations, sent to the API process that waits for them.

One rule: a reply is a hint, and the row is the truth; so nothing here is persistent, mandatory or confirmed.
"""

import json
from collections.abc import Sequence
from uuid import UUID

from aio_pika import DeliveryMode, Message

_VERSION = 1


def encode_reply(operations: Sequence[UUID]) -> Message:
    """One message for all operations that one process waits for."""
    body = {"v": _VERSION, "operations": [str(operation_id) for operation_id in operations]}
    return Message(
        json.dumps(body, separators=(",", ":")).encode(),
        content_type="application/json",
        delivery_mode=DeliveryMode.NOT_PERSISTENT,
        type="seatline.reply",
    )


def decode_reply(body: bytes) -> list[UUID]:
    """The operation ids of a reply; a reply that cannot be read names none, because its reader polls anyway."""
    try:
        fields = json.loads(body)
        if fields["v"] != _VERSION:
            return []
        return [UUID(operation_id) for operation_id in fields["operations"]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
