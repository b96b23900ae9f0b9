"""The examples of /v1/ops in the OpenAPI document; a test holds that the models take them."""

from api.native.examples import page
from domain.errors import JSON

TOKEN_ID = "0f9c3a52-6f0e-4a39-8d53-0a4b2b8f4f11"  # noqa: S105 - an id, not a secret

AUDIT_ENTRY: dict[str, JSON] = {
    "id": 71,
    "at": "2025-11-21T09:41:00.000000Z",
    "actor": {"token_id": TOKEN_ID, "name": "on call"},
    "action": "dead_letters.redrive",
    "tenant": None,
    "subject": "dead-letters",
    "details": {"filter": {"fingerprint": "5f0c2d9a71be43d8"}, "matched": 412},
}

_ID = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"
_OTHER_ID = "01939f70-05d1-7f44-8a0f-7b1c9e2d3f60"
_FINGERPRINT = "5f0c2d9a71be43d8"
_MESSAGE = "UniqueViolationError 23505 at passes._decide:118 > groups.put_groups:41"

FOUND_OPERATION: dict[str, JSON] = {
    "id": _ID,
    "tenant": "acme",
    "kind": "groups.put",
    "status": "succeeded",
    "dry_run": False,
    "attempts": 0,
    "progress": {"done": 1, "total": 1},
    "error": None,
    "accepted_at": "2025-11-21T09:30:00.000000Z",
    "started_at": "2025-11-21T09:30:00.004000Z",
    "finished_at": "2025-11-21T09:30:00.009000Z",
    "discarded_at": None,
    "discard_reason": None,
    "request_id": "5b0d0b0e4c1f4b6f9a39d8c3f8a9a1ce",
    "idempotency_key": None,
    "superseded_by": None,
}
OPERATION_PAGE: dict[str, JSON] = {**page(FOUND_OPERATION), "scanned_until": None}
WHOLE_OPERATION: dict[str, JSON] = {
    **FOUND_OPERATION,
    "fingerprint": None,
    "timeline": [
        {"at": "2025-11-21T09:30:00.000000Z", "event": "accepted"},
        {"at": "2025-11-21T09:30:00.004000Z", "event": "claimed"},
        {"at": "2025-11-21T09:30:00.009000Z", "event": "applied"},
        {"at": "2025-11-21T09:30:00.009000Z", "event": "finished"},
        {"at": "2025-11-21T09:30:00.021000Z", "event": "events_sent"},
    ],
    "response": {"status": 200, "body": {"items": [{"key": "dept-sales", "id": 12, "status": 201}]}},
    "items": {
        "succeeded": 1,
        "refused": 0,
        "outcomes": [{"position": 0, "outcome": "created", "key": "dept-sales", "id": 12}],
        "next": None,
    },
    "events": {
        "written": 2,
        "published": 2,
        "first_sequence": "0000000000000000041",
        "last_sequence": "0000000000000000042",
    },
    "request": "redacted",
}
_UNTOUCHED: dict[str, JSON] = {
    "progress": {"done": 0, "total": 1},
    "started_at": None,
    "response": None,
    "items": {"succeeded": 0, "refused": 0, "outcomes": [], "next": None},
}
QUEUED_OPERATION: dict[str, JSON] = {
    **WHOLE_OPERATION,
    **_UNTOUCHED,
    "status": "queued",
    "finished_at": None,
    "timeline": [
        {"at": "2025-11-21T09:30:00.000000Z", "event": "accepted"},
        {"at": "2025-11-21T09:30:00.004000Z", "event": "cancel_requested"},
    ],
    "events": {"written": 0, "published": 0, "first_sequence": None, "last_sequence": None},
}
CANCELLED_OPERATION: dict[str, JSON] = {
    **QUEUED_OPERATION,
    "status": "cancelled",
    "finished_at": "2025-11-21T09:30:00.009000Z",
    "timeline": [
        {"at": "2025-11-21T09:30:00.000000Z", "event": "accepted"},
        {"at": "2025-11-21T09:30:00.004000Z", "event": "cancel_requested"},
        {"at": "2025-11-21T09:30:00.009000Z", "event": "cancelled"},
    ],
    "events": {
        "written": 1,
        "published": 0,
        "first_sequence": "0000000000000000043",
        "last_sequence": "0000000000000000043",
    },
}
READ_REQUEST: dict[str, JSON] = {"request": {"items": [{"key": "dept-sales", "name": "Sales"}]}}

DEAD_LETTER: dict[str, JSON] = {
    **FOUND_OPERATION,
    "status": "failed",
    "progress": {"done": 0, "total": 1},
    "error": {"code": "OPERATION_RAISED", "message": _MESSAGE},
    "fingerprint": _FINGERPRINT,
}
ERROR_GROUP: dict[str, JSON] = {
    "fingerprint": _FINGERPRINT,
    "code": "OPERATION_RAISED",
    "message": _MESSAGE,
    "kind": "groups.put",
    "count": 412,
    "first_seen": "2025-11-21T09:30:00.009000Z",
    "last_seen": "2025-11-21T09:38:12.700000Z",
    "sample": {"tenant": "acme", "operation_id": _ID},
}
ERROR_GROUP_PAGE: dict[str, JSON] = {**page(ERROR_GROUP), "total": 412}
REDRIVE: dict[str, JSON] = {"filter": {"tenant": "acme", "fingerprint": _FINGERPRINT}, "expected": 412}
DISCARD: dict[str, JSON] = {"ids": [_ID], "reason": "sent by mistake"}
BEING_DEALT_WITH: dict[str, JSON] = {"matched": 412, "operations": [{"tenant": "acme", "id": _OTHER_ID}]}
REDRIVEN: dict[str, JSON] = {**BEING_DEALT_WITH, "redriven": 412}
DISCARDED: dict[str, JSON] = {"matched": 1, "discarded": 1, "operations": [{"tenant": "acme", "id": _OTHER_ID}]}

UNREADABLE: dict[str, JSON] = {
    "items": [
        {
            "position": 0,
            "received_at": "2025-11-21T09:30:00.000000Z",
            "reason": "version 9",
            "headers": {},
            "body": '{"v": 9}',
            "encoding": "text",
            "size": 8,
        }
    ],
    "total": 1,
    "broker": "up",
}
UNREADABLE_DISCARD: dict[str, JSON] = {"reason": "sent by a test", "count": 1}
UNREADABLE_DISCARDED: dict[str, JSON] = {"discarded": 1}
