"""What the seven calls say about themselves in the OpenAPI document.

One rule: the examples are real answers; a test validates each against its schema.
"""

from typing import Any

from api.dialects.user_groups import schemas
from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import Link, asked, link, shown
from api.errors.families import USERS
from domain.errors import JSON
from domain.errors import ErrorCode as Code

_ASSIGNMENT: dict[str, JSON] = {
    "group_id": "dept-sales",
    "user": {
        "id": "p0017",
        "first_name": "Ada",
        "last_name": "Brandt",
        "department": "Sales",
        "status": "ACTIVE",
    },
    "role": {"id": "mentor", "title": "Mentor"},
    "source": "MANUAL",
    "created_at": "2025-11-21T09:30:00.000000Z",
}
_WITH_ACTIONS: JSON = {**_ASSIGNMENT, "actions": ["DELETE"]}
_IDS: dict[str, JSON] = {"group_id": "dept-sales", "user_id": "p0017", "role_id": "mentor"}
_STRANGER: dict[str, JSON] = {**_IDS, "user_id": "p9999"}
_PAGINATION: JSON = {"page_number": 1, "page_limit": 25, "total_count": 1, "total_pages": 1}
_UNKNOWN_USER: JSON = {"code": Code.USER_DOES_NOT_EXIST.value, "message": "The user does not exist."}
_ADDRESS = (Code.USER_GROUP_DOES_NOT_EXIST, Code.USER_DOES_NOT_EXIST, Code.ROLE_DOES_NOT_EXIST)
_BATCH = (Code.BATCH_EMPTY, Code.BATCH_TOO_LARGE)
_GROUP = asked("group_id")


def _to_assignment(*, group: str, user: str, role: str) -> tuple[Link, ...]:
    """From where an assignment is shown."""
    address = {"group_id": group, "user_id": shown(user), "role_id": shown(role)}
    return (
        link("get_assignment", **address),
        link("delete_assignment", **address),
        link("list_assignments", group_id=group),
        link("list_assignable_roles", group_id=group),
    )


BATCH_CREATE: dict[str, Any] = described(
    summary="Assign multiple users to user groups",
    family=USERS,
    query=schemas.BatchCreate,
    body=Shown(
        model=schemas.AssignmentCreateBatch,
        example={
            "items": [
                {"group_id": "dept-sales", "body": {"role_id": "mentor", "user_id": "p0017"}},
                {"group_id": "dept-sales", "body": {"role_id": "mentor", "user_id": "p9999"}},
            ]
        },
    ),
    answers={
        200: Shown(
            model=schemas.BatchResult,
            example={
                "items": [
                    {"status": 201, **_IDS, "body": _ASSIGNMENT},
                    {"status": 404, **_STRANGER, "error": _UNKNOWN_USER},
                ]
            },
            description="One result per item, in order; each item stands for itself.",
        )
    },
    refusals=_BATCH,
    is_write=True,
    links=_to_assignment(group=shown("items/0/group_id"), user="items/0/user_id", role="items/0/role_id"),
)

BATCH_DELETE: dict[str, Any] = described(
    summary="Delete multiple user group assignments",
    family=USERS,
    query=schemas.BatchDelete,
    body=Shown(model=schemas.AssignmentDeleteBatch, example={"items": [_IDS, _STRANGER]}),
    answers={
        200: Shown(
            model=schemas.BatchResult,
            example={"items": [{"status": 200, **_IDS}, {"status": 404, **_STRANGER, "error": _UNKNOWN_USER}]},
            description="One result per item, in order; each item stands for itself.",
        )
    },
    refusals=_BATCH,
    is_write=True,
)

ASSIGNABLE_ROLES: dict[str, Any] = described(
    summary="List assignable roles",
    family=USERS,
    query=schemas.AssignableRoleList,
    answers={
        200: Shown(
            model=schemas.AssignableRolePage,
            example={
                "assignable_roles": [
                    {
                        "role_id": "mentor",
                        "role": {"id": "mentor", "title": "Mentor", "description": "Looks after newcomers."},
                    }
                ],
                "pagination": _PAGINATION,
            },
        )
    },
    refusals=(Code.USER_GROUP_DOES_NOT_EXIST,),
    links=(link("list_assignments", group_id=_GROUP, role_ids=shown("assignable_roles/0/role_id")),),
    is_localised=True,
)

ASSIGNMENTS: dict[str, Any] = described(
    summary="List user group assignments",
    family=USERS,
    query=schemas.AssignmentList,
    answers={
        200: Shown(
            model=schemas.AssignmentPage,
            example={"assignments": [_WITH_ACTIONS], "pagination": _PAGINATION, "actions": ["CREATE"]},
        )
    },
    refusals=(Code.USER_GROUP_DOES_NOT_EXIST,),
    links=_to_assignment(group=_GROUP, user="assignments/0/user/id", role="assignments/0/role/id"),
    is_localised=True,
)

CREATE: dict[str, Any] = described(
    summary="Create user group assignment",
    family=USERS,
    query=schemas.SingleWrite,
    body=Shown(model=schemas.AssignmentCreate, example={"role_id": "mentor", "user_id": "p0017"}),
    answers={201: Shown(model=schemas.Assignment, example=_ASSIGNMENT)},
    refusals=(
        *_ADDRESS,
        Code.ROLE_HAS_WRONG_PERMISSION_SCOPE,
        Code.USER_IS_NOT_ACTIVE,
        Code.ROLE_NOT_ASSIGNABLE,
        Code.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS,
    ),
    is_write=True,
    links=_to_assignment(group=_GROUP, user="user/id", role="role/id"),
)

GET: dict[str, Any] = described(
    summary="Get user group assignment",
    family=USERS,
    query=schemas.SingleRead,
    answers={200: Shown(model=schemas.Assignment, example=_WITH_ACTIONS)},
    refusals=(*_ADDRESS, Code.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST),
    links=_to_assignment(group=_GROUP, user="user/id", role="role/id"),
    is_localised=True,
)

DELETE: dict[str, Any] = described(
    summary="Delete user group assignment",
    family=USERS,
    answers={200: Shown(model=None, description="Deleted; the body is empty.")},
    refusals=(
        *_ADDRESS,
        Code.ROLE_NOT_ASSIGNABLE,
        Code.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST,
        Code.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN,
    ),
    is_write=True,
)
