"""The examples of the operators' room in the OpenAPI document; a test holds that the models take them."""

import json

from api.native.examples import EVENT_STREAM, EVENTS, page
from domain.errors import JSON

__all__ = ["page"]

_OPERATION = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"

OVERVIEW: dict[str, JSON] = {
    "at": "2025-11-21T09:41:00.000000Z",
    "queue": {
        "depth": 12,
        "depth_is_capped": False,
        "oldest_age_seconds": 0.214,
        "oldest": {"tenant": "acme", "id": _OPERATION},
        "running": 1,
    },
    "rates": {"accepted": 812.4, "applied": 810.9, "events": 2390.2},
    "accept_ms": {"p50": 6.1, "p95": 14.8, "p99": 27.5},
    "apply_ms": {"p50": 18.2, "p95": 44.0, "p99": 91.3},
    "outbox": {"pending": 31, "lag_seconds": 0.042},
    "waiting_seats": 1204,
    "dead_letters": 2,
    "unreadable": 0,
    "workers": {"alive": 2},
    "database": {"state": "up", "connections": {"in_use": 1, "idle": 4, "max": 8}},
    "broker": {"state": "up", "queue_depth": 3},
}

HISTORY: dict[str, JSON] = {
    "step_seconds": 10,
    "points": [
        {
            "at": "2025-11-21T09:40:50.000000Z",
            "accepted": 812.4,
            "applied": 810.9,
            "events": 2390.2,
            "depth": 12,
            "oldest_age_seconds": 0.214,
            "accept_p95_ms": 14.8,
            "apply_p95_ms": 44.0,
            "outbox_lag_seconds": 0.042,
            "waiting_seats": 1204,
            "dead_letters": 2,
        }
    ],
}

WORKER: dict[str, JSON] = {
    "id": 4,
    "name": "seatline-7c9f-12",
    "version": "0.1.0",
    "started_at": "2025-11-21T08:00:00.000000Z",
    "seen_at": "2025-11-21T09:40:59.500000Z",
    "alive": True,
    "is_relay_leader": True,
    "doing": {
        "operations": [{"tenant": "acme", "id": _OPERATION, "kind": "group_assignments.change"}],
        "operation_count": 1,
        "chunk": {
            "tenant": "acme",
            "id": _OPERATION,
            "kind": "give",
            "rows": 3000,
            "done": 42000,
            "total": 100000,
        },
    },
}

GRANT: dict[str, JSON] = {
    "tenant": "acme",
    "group": {"id": 12, "key": "dept-sales", "name": "Sales"},
    "license": {"id": 31, "key": "photo", "name": "Photo"},
    "members": 100000,
    "assigned": 42000,
    "waiting": 0,
    "suspended": 0,
    "fulfilled": False,
    "running": {"operation_id": _OPERATION, "done": 42000, "total": 100000},
}

POOL: dict[str, JSON] = {
    "tenant": "acme",
    "license": {"id": 31, "key": "photo", "name": "Photo"},
    "kind": "program",
    "capacity": 120000,
    "used": 42000,
    "reserved": 58000,
    "waiting": 0,
    "utilisation": 0.8333,
    "active": True,
    "expires_at": None,
}

WAITING: dict[str, JSON] = {
    "tenant": "acme",
    "license": {"id": 31, "key": "photo"},
    "user": {"id": 1017, "key": "p0017"},
    "state": "waiting",
    "waiting_for": "seat",
    "position": 3,
    "position_beyond": None,
    "asked_at": "2025-11-21T09:30:00.000000Z",
    "sources": [
        {
            "type": "group",
            "group": {"id": 12, "key": "dept-sales"},
            "since": "2025-11-21T09:30:00.000000Z",
            "operation_id": _OPERATION,
        }
    ],
}

OVERVIEW_STREAM = f": following\n\nevent: overview\ndata: {json.dumps(OVERVIEW)}\n\n"
TAIL_STREAM = EVENT_STREAM.replace("id: 0000000000000000042", "id: 1042")
TAIL: dict[str, JSON] = {**EVENTS, "last_event_id": None}
