"""What the calls say about themselves in the OpenAPI document.

One rule: what is shown as an example is a real answer, and stands in examples.py.
"""

from typing import Any

from api.dialects.catalog import answers, examples, queries, schemas
from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import Link, link, shown
from api.errors.families import CATALOG
from domain.errors import ErrorCode as Code

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
            example=examples.page(
                "/?", {**examples.LICENSE, "assignments": {"total": 126, "active": 120, "pending": 4}}
            ),
        )
    },
    links=_to_license("results/0/id"),
)

CREATE_LICENSE: dict[str, Any] = described(
    summary="Create a program license",
    family=CATALOG,
    query=queries.LicenseWrite,
    body=Shown(model=schemas.ProgramLicenseCreate, example=examples.CREATION),
    answers={200: Shown(model=answers.ProgramLicense, example={**examples.LICENSE, "usage_count": 0})},
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
    answers={200: Shown(model=answers.ProgramLicense, example=examples.LICENSE)},
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
            example=examples.page("/assignment/?license_id=41&", examples.USER_ASSIGNMENT, examples.ADDRESS_ASSIGNMENT),
        )
    },
    refusals=(Code.LICENSE_DOES_NOT_EXIST,),
    links=_to_assignment("unassign_license_from_user", "results/0/id", "results/0/license_id"),
)

ASSIGN_USER: dict[str, Any] = described(
    summary="Create or update a program license assignment",
    family=CATALOG,
    query=queries.UserAssignmentWrite,
    body=Shown(model=schemas.UserAssignmentBody, example=examples.USER_BODY),
    answers={200: Shown(model=answers.UserLicense, example=examples.USER_ASSIGNMENT)},
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
            example=examples.page("/assignment/group/?license_id=41&", examples.GROUP_ASSIGNMENT),
        )
    },
    refusals=(Code.LICENSE_DOES_NOT_EXIST,),
    links=_to_assignment("unassign_license_from_group", "results/0/id", "results/0/license_id"),
)

ASSIGN_GROUP: dict[str, Any] = described(
    summary="Create or update a program license group assignment",
    family=CATALOG,
    query=queries.GroupAssignmentWrite,
    body=Shown(
        model=schemas.GroupAssignmentBody, example={**examples.GROUP_BODY, "shortage": "waitlist", "hold": False}
    ),
    answers={200: Shown(model=answers.GroupLicense, example=examples.GROUP_ASSIGNMENT)},
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
