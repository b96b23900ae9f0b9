"""What the calls say about themselves in the OpenAPI document.

One rule: the examples are real answers; a test validates each against its schema.
"""

from typing import Any

from api.dialects.catalog import answers, queries, schemas
from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import Link, link, shown
from api.errors.families import CATALOG
from domain.errors import JSON
from domain.errors import ErrorCode as Code

_LICENSE: dict[str, JSON] = {
    "id": 41,
    "name": "Data Science 2026",
    "count": 500,
    "usage_count": 120,
    "active": True,
    "created": "2025-11-21T09:30:00.000000Z",
    "started": "2026-01-01T00:00:00.000000Z",
    "expired": "2027-01-01T00:00:00.000000Z",
    "metadata": {"contract": "C-2026-118"},
    "source": "crm",
    "external_id": "order-7781",
    "platform_key": "acme",
    "program_id": 7,
    "program_key": "data-science",
    "program_name": "Data Science",
}
_CREATION: JSON = {
    "platform_key": "acme",
    "program_key": "data-science",
    "program_name": "Data Science",
    "name": "Data Science 2026",
    "count": 500,
    "started": "2026-01-01T00:00:00Z",
    "expired": "2027-01-01T00:00:00Z",
    "external_id": "order-7781",
    "active": True,
    "metadata": {"contract": "C-2026-118"},
    "enrollment_config": {"mode": "self-paced"},
    "source": "crm",
    "transaction_id": "t-100392",
}
_USER_BODY: JSON = {
    "license_id": 41,
    "user_id": 1017,
    "username": "ada",
    "email": "ada@example.org",
    "platform_key": "acme",
    "platform_org": "acme-org",
    "active": True,
    "fulfilled": False,
    "direct": True,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
}
_USER_ASSIGNMENT: dict[str, JSON] = {
    "id": 90210,
    "user_id": 1017,
    "username": "ada",
    "name": "Ada Brandt",
    "email": "ada@example.org",
    "active": True,
    "fulfilled": True,
    "direct": True,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
    "created": "2026-01-12T08:00:00.000000Z",
    "modified": "2026-01-12T08:00:00.000000Z",
    "license_id": 41,
    "license_name": "Data Science 2026",
    "program_key": "data-science",
}
_ADDRESS_ASSIGNMENT: JSON = {
    **_USER_ASSIGNMENT,
    "id": 90211,
    "user_id": None,
    "username": None,
    "name": None,
    "email": "new.hire@example.org",
    "fulfilled": False,
    "redirect_to": None,
    "metadata": None,
}
_GROUP_BODY: dict[str, JSON] = {
    "license_id": 41,
    "group_id": 12,
    "platform_key": "acme",
    "platform_org": "acme-org",
    "active": True,
    "fulfilled": False,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
}
_GROUP_ASSIGNMENT: JSON = {
    "id": 310,
    "group_id": 12,
    "group_name": "Sales",
    "active": True,
    "fulfilled": False,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
    "created": "2026-01-12T08:00:00.000000Z",
    "modified": "2026-01-12T08:00:00.000000Z",
    "license_id": 41,
    "license_name": "Data Science 2026",
    "program_key": "data-science",
    "program_name": "Data Science",
    "user_count": 83,
    "assigned_count": 80,
    "waiting_count": 3,
}
_LIST = "https://seatline.example.org/api/catalog/licenses/program"


def _page(address: str, *results: JSON) -> JSON:
    following = f"{_LIST}{address}page=2"
    return {
        "count": 26,
        "next": following,
        "previous": None,
        "next_page": following,
        "previous_page": None,
        "results": list(results),
    }


_SEATS = (Code.LICENSE_DOES_NOT_EXIST, Code.LICENSE_IS_NOT_ACTIVE, Code.LICENSE_EXPIRED, Code.NOT_ENOUGH_SEATS)
_EMPTY = Shown(model=None, description="Ended; the body is empty.")


def _to_license(pointer: str) -> tuple[Link, ...]:
    """From where a licence's id is shown: to who has it."""
    found = shown(pointer)
    return (link("list_licensed_people", license_id=found), link("list_groups_with_license", license_id=found))


def _to_assignment(ending: str, assignment: str, license_id: str) -> tuple[Link, ...]:
    """From where an assignment is shown: to its end, and to the others of its licence."""
    return (link(ending, assignment_id=shown(assignment)), *_to_license(license_id))


LICENSES: dict[str, Any] = described(
    summary="List program licenses",
    family=CATALOG,
    query=queries.LicenseList,
    answers={
        200: Shown(
            model=answers.ProgramLicensePage,
            example=_page("/?", {**_LICENSE, "assignments": {"total": 126, "active": 120, "pending": 4}}),
        )
    },
    links=_to_license("results/0/id"),
)

CREATE_LICENSE: dict[str, Any] = described(
    summary="Create a program license",
    family=CATALOG,
    query=queries.LicenseWrite,
    body=Shown(model=schemas.ProgramLicenseCreate, example=_CREATION),
    answers={200: Shown(model=answers.ProgramLicense, example={**_LICENSE, "usage_count": 0})},
    refusals=(Code.EXTERNAL_ID_TAKEN,),
    is_write=True,
    links=_to_license("id"),
)

UPDATE_LICENSE: dict[str, Any] = described(
    summary="Update a program license",
    family=CATALOG,
    query=queries.LicenseWrite,
    body=Shown(
        model=schemas.ProgramLicenseUpdate, example={"external_id": "order-7781", "count": 500, "change_type": "upsell"}
    ),
    answers={200: Shown(model=answers.ProgramLicense, example=_LICENSE)},
    refusals=(Code.LICENSE_DOES_NOT_EXIST, Code.COUNT_BELOW_USAGE, Code.EXTERNAL_ID_TAKEN),
    is_write=True,
    links=_to_license("id"),
)

USER_ASSIGNMENTS: dict[str, Any] = described(
    summary="List program license assignments",
    family=CATALOG,
    query=queries.UserAssignmentList,
    answers={
        200: Shown(
            model=answers.UserLicensePage,
            example=_page("/assignment/?license_id=41&", _USER_ASSIGNMENT, _ADDRESS_ASSIGNMENT),
        )
    },
    refusals=(Code.LICENSE_DOES_NOT_EXIST,),
    links=_to_assignment("unassign_license_from_user", "results/0/id", "results/0/license_id"),
)

ASSIGN_USER: dict[str, Any] = described(
    summary="Create or update a program license assignment",
    family=CATALOG,
    query=queries.UserAssignmentWrite,
    body=Shown(model=schemas.UserAssignmentBody, example=_USER_BODY),
    answers={200: Shown(model=answers.UserLicense, example=_USER_ASSIGNMENT)},
    refusals=(
        *_SEATS,
        Code.USER_DOES_NOT_EXIST,
        Code.USER_IS_NOT_ACTIVE,
        Code.INHERITED_ASSIGNMENT,
        Code.NO_GROUP_SOURCE,
    ),
    is_write=True,
    links=_to_assignment("unassign_license_from_user", "id", "license_id"),
)

UNASSIGN_USER: dict[str, Any] = described(
    summary="Delete a program license assignment",
    family=CATALOG,
    query=queries.UserAssignmentDelete,
    answers={200: _EMPTY},
    refusals=(Code.LICENSE_ASSIGNMENT_DOES_NOT_EXIST, Code.INHERITED_ASSIGNMENT),
    is_write=True,
)

GROUP_ASSIGNMENTS: dict[str, Any] = described(
    summary="List program license group assignments",
    family=CATALOG,
    query=queries.GroupAssignmentList,
    answers={
        200: Shown(
            model=answers.GroupLicensePage,
            example=_page("/assignment/group/?license_id=41&", _GROUP_ASSIGNMENT),
        )
    },
    refusals=(Code.LICENSE_DOES_NOT_EXIST,),
    links=_to_assignment("unassign_license_from_group", "results/0/id", "results/0/license_id"),
)

ASSIGN_GROUP: dict[str, Any] = described(
    summary="Create or update a program license group assignment",
    family=CATALOG,
    query=queries.GroupAssignmentWrite,
    body=Shown(model=schemas.GroupAssignmentBody, example={**_GROUP_BODY, "shortage": "waitlist", "hold": False}),
    answers={200: Shown(model=answers.GroupLicense, example=_GROUP_ASSIGNMENT)},
    refusals=(*_SEATS, Code.USER_GROUP_DOES_NOT_EXIST),
    is_write=True,
    links=_to_assignment("unassign_license_from_group", "id", "license_id"),
)

UNASSIGN_GROUP: dict[str, Any] = described(
    summary="Delete a program license group assignment",
    family=CATALOG,
    query=queries.GroupAssignmentDelete,
    answers={200: _EMPTY},
    refusals=(Code.GROUP_LICENSE_DOES_NOT_EXIST,),
    is_write=True,
)
