"""The examples of licences in the OpenAPI document; a test holds that the models take them.

One rule: they go on with the story of examples.py.
"""

from domain.errors import JSON

_PHOTO: dict[str, JSON] = {"id": 21, "key": "photo-studio"}
_ANN: dict[str, JSON] = {"id": 1017, "key": "p0017"}
_SALES: dict[str, JSON] = {"id": 12, "key": "dept-sales"}
_OPERATION_ID = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"

LICENSE_FIELDS: dict[str, JSON] = {
    "name": "Photo Studio 2026",
    "kind": "program",
    "program_key": "photo-studio",
    "program_name": "Photo Studio",
    "capacity": 100,
    "starts_at": "2026-01-01T00:00:00Z",
    "expires_at": "2027-01-01T00:00:00Z",
}
LICENSE: dict[str, JSON] = {
    **_PHOTO,
    "name": "Photo Studio 2026",
    "kind": "program",
    "code": None,
    "program_key": "photo-studio",
    "program_name": "Photo Studio",
    "capacity": 100,
    "used": 83,
    "reserved": 0,
    "waiting": 0,
    "active": True,
    "starts_at": "2026-01-01T00:00:00.000000Z",
    "expires_at": "2027-01-01T00:00:00.000000Z",
}
LICENSE_BATCH: dict[str, JSON] = {
    "items": [
        {"key": "photo-studio", **LICENSE_FIELDS},
        {"key": "acnu", "name": "Citizen users", "kind": "bundle", "code": "ACNU", "capacity": None},
    ]
}

SEAT_BATCH: dict[str, JSON] = {
    "items": [
        {"op": "assign", "license": "photo-studio", "user": "p0017"},
        {"op": "assign", "license": "photo-studio", "email": "new.hire@example.org"},
        {"op": "unassign", "license": "photo-studio", "user": "p0099"},
    ],
    "shortage": "waitlist",
}
SEAT_RESULTS: dict[str, JSON] = {
    "items": [
        {
            "status": 201,
            "license": "photo-studio",
            "user": "p0017",
            "body": {
                "id": 90210,
                "license": _PHOTO,
                "user": _ANN,
                "state": "active",
                "direct": True,
                "groups": [_SALES],
            },
        },
        {
            "status": 201,
            "license": "photo-studio",
            "user": None,
            "email": "new.hire@example.org",
            "body": {
                "id": 90211,
                "license": _PHOTO,
                "user": None,
                "email": "new.hire@example.org",
                "state": "waiting",
                "position": 1,
                "direct": True,
                "groups": [],
            },
        },
        {
            "status": 409,
            "license": "photo-studio",
            "user": "p0099",
            "error": {
                "code": "INHERITED_ASSIGNMENT",
                "message": "The assignment is held only through groups and is ended there.",
                "details": {"groups": [_SALES]},
            },
        },
    ]
}

ENTITLEMENT: dict[str, JSON] = {
    "id": 90210,
    "license": _PHOTO,
    "user": _ANN,
    "state": "active",
    "since": "2025-11-21T09:30:00.123456Z",
    "until": "2027-01-01T00:00:00.000000Z",
    "sources": [
        {"type": "direct", "since": "2025-11-21T09:30:00.123456Z", "operation_id": _OPERATION_ID},
        {
            "type": "group",
            "group": _SALES,
            "since": "2025-11-22T08:00:00.000000Z",
            "operation_id": "0193a4b1-0d5e-7c11-8f2a-6f0c9a7d2e31",
        },
    ],
}
REPROCESSED: dict[str, JSON] = {"group": _SALES, "user_count": 83, "given": 2, "taken": 0}
