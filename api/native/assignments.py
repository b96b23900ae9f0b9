"""/v1/group-assignments: who has which role in which group, by source, as a list and by the thousand."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.bodies import json_body
from api.http.context import RequestContext, tenant_caller
from api.http.json_reading import Document
from api.http.parameters import query
from api.http.responses import json_response
from api.native import answers, examples, leads
from api.native.cursors import decode_cursor, encode_cursor
from api.native.queries import AssignmentsQuery, BatchQuery
from api.native.schemas import AssignmentBatch, AssignmentItem
from api.native.translate import assignment_change, sent_names
from api.native.views import assignment_body
from api.native.writing import batch, write
from domain.commands import ChangeAssignments
from domain.errors import ErrorCode
from infra.postgres.reads.assignments import (
    FIRST_PLACE,
    AssignmentFilter,
    UnknownGroupError,
    UnknownUserError,
    page_of_assignments,
)

router = APIRouter(tags=["group assignments"])


@router.get(
    "/v1/group-assignments",
    **described(
        summary="List group assignments",
        family=NATIVE,
        query=AssignmentsQuery,
        answers={200: Shown(model=answers.GroupAssignmentPage, example=examples.page(examples.ASSIGNMENT))},
        refusals=[ErrorCode.USER_DOES_NOT_EXIST, ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        links=(
            *leads.to_user("items/0/user/key"),
            *leads.to_group("items/0/group/key"),
            *leads.to_role("items/0/role/key"),
        ),
    ),
)
async def list_group_assignments(
    context: Annotated[RequestContext, Depends(tenant_caller("groups:read"))],
    asked: Annotated[AssignmentsQuery, Depends(query(AssignmentsQuery))],
) -> Response:
    """A person's groups, a group's people, or all."""
    place = decode_cursor(asked.cursor, first=FIRST_PLACE)
    source = None if asked.source is None else asked.source.flag
    wanted = AssignmentFilter(group=asked.group, user=asked.user, source=source)
    try:
        page = await page_of_assignments(
            context.database, context.tenant_id, wanted=wanted, after=place, limit=asked.limit
        )
    except UnknownGroupError:
        raise ApiError(ErrorCode.USER_GROUP_DOES_NOT_EXIST) from None
    except UnknownUserError:
        raise ApiError(ErrorCode.USER_DOES_NOT_EXIST) from None
    items = [assignment_body(row, context.languages) for row in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/group-assignments:batch",
    **described(
        summary="Assign and unassign up to 1,000 roles in groups",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=AssignmentBatch, example=examples.ASSIGNMENT_BATCH),
        answers={200: Shown(model=answers.AssignmentResults, example=examples.ASSIGNMENT_RESULTS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=(
            *leads.to_user("items/0/user_id"),
            *leads.to_group("items/0/group_id"),
            *leads.to_role("items/0/role_id"),
        ),
    ),
)
async def change_group_assignments(
    context: Annotated[RequestContext, Depends(tenant_caller("groups:write"))],
    asked: Annotated[BatchQuery, Depends(query(BatchQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """An item acts on its own source: a row goes when its last source does."""
    command = ChangeAssignments(
        items=batch(document, AssignmentItem, assignment_change, sent_names), assignable=context.caller.roles
    )
    return await write(context, command, form="native.assignments", body=document.value, dry_run=asked.dry_run)
