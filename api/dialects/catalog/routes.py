"""The calls of the catalogue API's program licences.

One rule: a route reads the form, hands a command or a question on, and shapes the answer; it decides nothing.
"""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Response

from api.dialects.catalog import documents, reading, translate
from api.dialects.catalog.checks import require_agreement, require_own_platform, require_redirect
from api.dialects.catalog.queries import (
    GroupAssignmentDelete,
    GroupAssignmentList,
    GroupAssignmentWrite,
    LicenseList,
    LicenseWrite,
    Platform,
    UserAssignmentDelete,
    UserAssignmentList,
    UserAssignmentWrite,
)
from api.dialects.catalog.schemas import (
    GroupAssignmentBody,
    PlatformBody,
    ProgramLicenseCreate,
    ProgramLicenseUpdate,
    UserAssignmentBody,
)
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.parameters import query
from api.http.submit import submit
from domain.errors import JSON

router = APIRouter(prefix="/api/catalog/licenses/program", tags=["catalogue dialect"])

Reader = Annotated[RequestContext, Depends(tenant_caller("licenses:read"))]
Writer = Annotated[RequestContext, Depends(tenant_caller("licenses:write"))]
Asked = Annotated[LicenseWrite, Depends(query(LicenseWrite))]

Body = TypeVar("Body", bound=PlatformBody)


@router.get("/", **documents.LICENSES)
async def list_program_licenses(
    context: Reader, asked: Annotated[LicenseList, Depends(query(LicenseList))]
) -> Response:
    """List the tenant's program licences."""
    require_own_platform(context.caller, asked)
    return await reading.program_licenses(context, asked)


@router.post("/create/", **documents.CREATE_LICENSE)
async def create_program_license(context: Writer, asked: Asked) -> Response:
    """Create a program licence."""
    body, sent = await _body(context, asked, ProgramLicenseCreate)
    return await submit(context, translate.creation(body), form=translate.LICENSE, options=_options(context), body=sent)


@router.post("/update/", **documents.UPDATE_LICENSE)
async def update_program_license(context: Writer, asked: Asked) -> Response:
    """Change a program licence."""
    body, sent = await _body(context, asked, ProgramLicenseUpdate)
    return await submit(context, translate.update(body), form=translate.LICENSE, options=_options(context), body=sent)


@router.get("/assignment/", **documents.USER_ASSIGNMENTS)
async def list_licensed_people(
    context: Reader, asked: Annotated[UserAssignmentList, Depends(query(UserAssignmentList))]
) -> Response:
    """List who has a licence."""
    require_own_platform(context.caller, asked)
    return await reading.user_assignments(context, asked)


@router.post("/assignment/", **documents.ASSIGN_USER)
async def assign_license_to_user(
    context: Writer, asked: Annotated[UserAssignmentWrite, Depends(query(UserAssignmentWrite))]
) -> Response:
    """Create or update the assignment of a licence to a person."""
    body, sent = await _body(context, asked, UserAssignmentBody)
    require_redirect(body, context.services.settings.redirect_hosts)
    return await submit(context, translate.user_assignment(body), form=translate.USER_ASSIGNMENT, body=sent)


@router.delete("/assignment/", **documents.UNASSIGN_USER)
async def unassign_license_from_user(
    context: Writer, asked: Annotated[UserAssignmentDelete, Depends(query(UserAssignmentDelete))]
) -> Response:
    """End the direct assignment of a licence to a person."""
    await no_body(context.request)
    require_own_platform(context.caller, asked)
    return await submit(context, translate.user_removal(asked.assignment_id), form=translate.REMOVED)


@router.get("/assignment/group/", **documents.GROUP_ASSIGNMENTS)
async def list_groups_with_license(
    context: Reader, asked: Annotated[GroupAssignmentList, Depends(query(GroupAssignmentList))]
) -> Response:
    """List the groups that have a licence."""
    require_own_platform(context.caller, asked)
    return await reading.group_assignments(context, asked)


@router.post("/assignment/group/", **documents.ASSIGN_GROUP)
async def assign_license_to_group(
    context: Writer, asked: Annotated[GroupAssignmentWrite, Depends(query(GroupAssignmentWrite))]
) -> Response:
    """Create or update the assignment of a licence to a group."""
    body, sent = await _body(context, asked, GroupAssignmentBody)
    require_redirect(body, context.services.settings.redirect_hosts)
    return await submit(
        context,
        translate.group_assignment(body),
        form=translate.GROUP_ASSIGNMENT,
        body=sent,
        dry_run=asked.dry_run,
    )


@router.delete("/assignment/group/", **documents.UNASSIGN_GROUP)
async def unassign_license_from_group(
    context: Writer, asked: Annotated[GroupAssignmentDelete, Depends(query(GroupAssignmentDelete))]
) -> Response:
    """End the assignment of a licence to a group."""
    await no_body(context.request)
    require_own_platform(context.caller, asked)
    command = translate.group_removal(asked.assignment_id, remove_users=asked.remove_user_assignments)
    return await submit(context, command, form=translate.REMOVED, dry_run=asked.dry_run)


async def _body(context: RequestContext, asked: Platform, model: type[Body]) -> tuple[Body, object]:
    """The body by its model and as it was sent, once it belongs to the caller and agrees with the parameters."""
    document = await json_body(context.request)
    body = read_model(model, document)
    require_own_platform(context.caller, asked, body)
    require_agreement(asked, body)
    return body, document.value


def _options(context: RequestContext) -> dict[str, JSON]:
    return translate.options(context.caller.tenant_key or "")
