"""Requests of the catalogue API to commands, and stored outcomes to its answers. Pure; golden-tested.

One rule: an answer is made of the stored operation alone, so that a replay is the same to the byte.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from api.dialects.catalog import shapes
from api.dialects.catalog.schemas import (
    GroupAssignmentBody,
    ProgramLicenseCreate,
    ProgramLicenseUpdate,
    UserAssignmentBody,
)
from api.errors.families import CATALOG
from api.http.operation import Forms, Rendered
from api.http.single import Outcome, answer_of_single, facts_of
from domain.errors import JSON
from domain.license_commands import (
    ChangeSeats,
    CreateProgramLicense,
    RemoveGroupLicense,
    SeatChange,
    SeatOp,
    SetGroupLicense,
    UpdateProgramLicense,
)
from domain.outcomes import timestamp
from infra.postgres.operations import OperationView

LICENSE = "catalog.license"
USER_ASSIGNMENT = "catalog.user_assignment"
GROUP_ASSIGNMENT = "catalog.group_assignment"
REMOVED = "catalog.removed"

# What the engine calls by a name alone is an id here.
_FIELDS = {"license": "license_id", "group": "group_id", "assignment": "assignment_id"}
_DEMAND = ("requested", "available", "would_wait")
# These say whose a request is and what it is about, or, as `fulfilled` does, nothing.
_LICENSE_NAMES = frozenset({"platform_key", "platform_org", "license_id"})


def creation(body: ProgramLicenseCreate) -> CreateProgramLicense:
    """What creating a licence asks for."""
    return CreateProgramLicense(sent=_sent(body, *(body.model_fields_set - _LICENSE_NAMES)))


def update(body: ProgramLicenseUpdate) -> UpdateProgramLicense:
    """What changing a licence asks for; an external id alone is how it is found, not what it becomes."""
    names = body.model_fields_set - _LICENSE_NAMES
    if body.license_id is None:
        return UpdateProgramLicense(sent=_sent(body, *(names - {"external_id"})), external_id=body.external_id)
    return UpdateProgramLicense(sent=_sent(body, *names), license_id=body.license_id)


def user_assignment(body: UserAssignmentBody) -> ChangeSeats:
    """What creating or updating a person's assignment asks for."""
    change = SeatChange(
        op=SeatOp.SET,
        license_id=body.license_id,
        user_id=body.user_id,
        username=body.username,
        email=body.email,
        sent=_sent(body, "active", "direct", "redirect_to", "metadata"),
    )
    return ChangeSeats(items=(change,))


def user_removal(assignment_id: int) -> ChangeSeats:
    """What deleting a person's assignment asks for."""
    return ChangeSeats(items=(SeatChange(op=SeatOp.REMOVE, assignment_id=assignment_id),))


def group_assignment(body: GroupAssignmentBody) -> SetGroupLicense:
    """What creating or updating a group's assignment asks for."""
    return SetGroupLicense(
        license_id=body.license_id,
        group_id=body.group_id,
        sent=_sent(body, "active", "hold", "shortage", "redirect_to", "metadata"),
    )


def group_removal(assignment_id: int, *, remove_users: bool) -> RemoveGroupLicense:
    """What deleting a group's assignment asks for."""
    return RemoveGroupLicense(assignment_id=assignment_id, remove_users=remove_users)


def options(platform: str) -> dict[str, JSON]:
    """What an answer needs to know of the request."""
    return {"platform_key": platform}


def _sent(body: BaseModel, *names: str) -> dict[str, JSON]:
    """Those of the fields that were sent, in a fixed order, instants as text."""
    sent = (name for name in type(body).model_fields if name in names and name in body.model_fields_set)
    return {name: _plain(getattr(body, name)) for name in sent}


def _plain(value: Any) -> JSON:
    return timestamp(value) if isinstance(value, datetime) else value


def license_answer(view: OperationView) -> Rendered:
    """200 and the licence, or the refusal."""
    platform = str(view.presentation.options["platform_key"])
    return _answered(view, lambda outcome: shapes.program_license_of_outcome(outcome["license"], platform=platform))


def user_assignment_answer(view: OperationView) -> Rendered:
    """200 and the assignment, or the refusal."""
    return _answered(view, lambda outcome: shapes.user_assignment_of_outcome(outcome["seat"]))


def group_assignment_answer(view: OperationView) -> Rendered:
    """200 and the group assignment, on a dry run with what it asks of the seats, or the refusal."""
    return _answered(
        view,
        lambda outcome: {
            **shapes.group_assignment_of_outcome(outcome["group_license"]),
            **({name: outcome.get(name) for name in _DEMAND} if view.dry_run else {}),
        },
    )


def removed(view: OperationView) -> Rendered:
    """200 without a body, or the refusal."""
    return _answered(view, lambda _: None)


FORMS: Forms = {
    LICENSE: license_answer,
    USER_ASSIGNMENT: user_assignment_answer,
    GROUP_ASSIGNMENT: group_assignment_answer,
    REMOVED: removed,
}


def _answered(view: OperationView, succeeded: Callable[[Outcome], JSON]) -> Rendered:
    return answer_of_single(
        view,
        CATALOG,
        lambda outcome: Rendered(200, succeeded(outcome)),
        facts=lambda outcome: facts_of(outcome, _FIELDS),
    )
