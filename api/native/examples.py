"""The examples in the OpenAPI document; a test holds that the models take them.

One rule: they show one small story, people and groups of one tenant.
"""

import json

from domain.errors import JSON

USER_FIELDS: dict[str, JSON] = {
    "username": "ann.lee",
    "email": "ann.lee@example.org",
    "first_name": "Ann",
    "last_name": "Lee",
    "department": "Sales",
    "active": True,
    "attributes": {"cost_centre": "4711"},
    "primary_group": "dept-sales",
}
USER: dict[str, JSON] = {"id": 1017, "key": "p0017", **USER_FIELDS}
USER_BATCH: dict[str, JSON] = {"items": [{"key": "p0017", "username": "ann.lee", "first_name": "Ann"}]}

GROUP_FIELDS: dict[str, JSON] = {"name": "Sales"}
GROUP: dict[str, JSON] = {"id": 12, "key": "dept-sales", "name": "Sales", "user_count": 83}
GROUP_BATCH: dict[str, JSON] = {"items": [{"key": "dept-sales", "name": "Sales"}]}

ROLE_FIELDS: dict[str, JSON] = {
    "permission_scope": "USER_GROUPS",
    "titles": {"en": "Mentor", "de": "Mentorin oder Mentor", "fr": "Mentor"},
    "descriptions": {"en": "Looks after newcomers."},
}
ROLE: dict[str, JSON] = {"key": "mentor", **ROLE_FIELDS}
ROLE_BATCH: dict[str, JSON] = {
    "items": [{"key": "mentor", "permission_scope": "USER_GROUPS", "titles": {"en": "Mentor"}}]
}

STORED_ITEMS: dict[str, JSON] = {
    "items": [
        {"key": "p0017", "id": 1017, "status": 201},
        {
            "key": "p0018",
            "status": 409,
            "error": {
                "code": "USERNAME_TAKEN",
                "message": "Another user has this username.",
                "field": "username",
            },
        },
    ]
}

ASSIGNMENT_BATCH: dict[str, JSON] = {
    "items": [
        {"op": "assign", "group_id": "dept-sales", "user_id": "p0017", "role_id": "mentor", "source": "RULE"},
        {"op": "unassign", "group_id": "dept-sales", "user_id": "p0099", "role_id": "mentor", "source": "RULE"},
    ]
}
ASSIGNMENT_RESULTS: dict[str, JSON] = {
    "items": [
        {
            "status": 201,
            "group_id": "dept-sales",
            "user_id": "p0017",
            "role_id": "mentor",
            "body": {
                "group_id": "dept-sales",
                "user": {
                    "id": "p0017",
                    "first_name": "Ann",
                    "last_name": "Lee",
                    "department": "Sales",
                    "status": "ACTIVE",
                },
                "role": {"id": "mentor", "title": "Mentor"},
                "source": "RULE",
                "created_at": "2025-11-21T09:30:00.123456Z",
            },
        },
        {
            "status": 404,
            "group_id": "dept-sales",
            "user_id": "p0099",
            "role_id": "mentor",
            "error": {"code": "USER_DOES_NOT_EXIST", "message": "The user does not exist.", "field": "user_id"},
        },
    ]
}
ASSIGNMENT: dict[str, JSON] = {
    "group_id": "dept-sales",
    "user_id": "p0017",
    "role_id": "mentor",
    "group": {"id": 12, "key": "dept-sales", "name": "Sales"},
    "user": {
        "id": 1017,
        "key": "p0017",
        "first_name": "Ann",
        "last_name": "Lee",
        "department": "Sales",
        "active": True,
    },
    "role": {"key": "mentor", "title": "Mentor"},
    "source": "RULE",
    "sources": ["RULE", "MANUAL"],
    "created_at": "2025-11-21T09:30:00.123456Z",
}

LISTED_OPERATION: dict[str, JSON] = {
    "id": "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a",
    "kind": "group_assignments.change",
    "status": "succeeded",
    "progress": {"done": 100, "total": 100},
    "timeline": [
        {"at": "2025-11-21T09:30:00.000000Z", "event": "accepted"},
        {"at": "2025-11-21T09:30:00.004000Z", "event": "started"},
        {"at": "2025-11-21T09:30:00.009000Z", "event": "succeeded"},
    ],
}
OPERATION: dict[str, JSON] = {**LISTED_OPERATION, "response": {"status": 200, "body": ASSIGNMENT_RESULTS}}

EVENT: dict[str, JSON] = {
    "specversion": "1.0",
    "id": "demo-0000000000000000042",
    "source": "/tenants/demo",
    "type": "seatline.group.updated.v1",
    "subject": "groups/dept-sales",
    "time": "2025-11-21T09:30:00.009000Z",
    "datacontenttype": "application/json",
    "tenantid": "demo",
    "sequence": "0000000000000000042",
    "previous": "0000000000000000017",
    "operationid": "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a",
    "data": {"group": {"id": 12, "key": "dept-sales"}},
}
EVENTS: dict[str, JSON] = {"events": [EVENT], "next": "0000000000000000042"}
EVENT_STREAM = (
    f": following\n\nid: 0000000000000000042\nevent: seatline.group.updated.v1\ndata: {json.dumps(EVENT)}\n\n"
)

TENANT_FIELDS: dict[str, JSON] = {"key": "acme", "org": "acme-org", "name": "Acme"}
TENANT: dict[str, JSON] = {"id": 2, **TENANT_FIELDS, "created_at": "2025-11-21T09:30:00.000000Z"}
TOKEN_FIELDS: dict[str, JSON] = {
    "tenant": "acme",
    "scopes": ["groups:write", "operations:read"],
    "name": "HR import",
    "expires_at": "2026-11-21T00:00:00Z",
    "roles": ["mentor"],
}
ISSUED_TOKEN: dict[str, JSON] = {
    "id": "0f9c3a52-6f0e-4a39-8d53-0a4b2b8f4f11",
    "token": "<64 hexadecimal digits, shown this once>",
    "tenant": "acme",
    "scopes": ["groups:write", "operations:read"],
    "expires_at": "2026-11-21T00:00:00.000000Z",
}
TOKEN: dict[str, JSON] = {
    "id": "0f9c3a52-6f0e-4a39-8d53-0a4b2b8f4f11",
    "tenant": "acme",
    "name": "HR import",
    "scopes": ["groups:write", "operations:read"],
    "roles": ["mentor"],
    "created_at": "2025-11-21T09:30:00.000000Z",
    "expires_at": "2026-11-21T00:00:00.000000Z",
    "revoked_at": None,
}


def page(*items: JSON) -> dict[str, JSON]:
    """A page of a list that ends with it."""
    return {"items": [*items], "next_cursor": None}
