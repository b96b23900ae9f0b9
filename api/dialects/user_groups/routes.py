"""The seven calls of the users API's user groups.

One rule: a route reads the form, hands a command or a question on, and shapes the answer; it decides nothing.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.dialects.user_groups import documents, reading, translate
from api.dialects.user_groups.schemas import (
    MOST_ITEMS,
    AssignableRoleList,
    AssignmentCreate,
    AssignmentCreateItem,
    AssignmentDeleteItem,
    AssignmentEmbed,
    AssignmentList,
    BatchCreate,
    BatchDelete,
    SingleRead,
    SingleWrite,
)
from api.http.batches import model_reader, read_items
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.parameters import NoQuery, Text, query
from api.http.submit import submit
from domain.commands import ChangeAssignments

router = APIRouter(prefix="/api/admin/users/v4/user-groups", tags=["users dialect"])

Reader = Annotated[RequestContext, Depends(tenant_caller("groups:read"))]
Writer = Annotated[RequestContext, Depends(tenant_caller("groups:write"))]
GroupId = Annotated[Text, Path(description="The group, by the upstream's own key.")]
UserId = Annotated[Text, Path(description="The user, by the upstream's own key.")]
RoleId = Annotated[Text, Path(description="The role, by the upstream's own key.")]

_read_creation = model_reader(AssignmentCreateItem, translate.creation_item, translate.sent_to_create)
_read_deletion = model_reader(AssignmentDeleteItem, translate.deletion_item, translate.sent_to_delete)


@router.post("/assignments/batch", **documents.BATCH_CREATE)
async def assign_users(context: Writer, asked: Annotated[BatchCreate, Depends(query(BatchCreate))]) -> Response:
    """Assign multiple users to user groups."""
    document = await json_body(context.request)
    items = read_items(document, limit=MOST_ITEMS, read=_read_creation, sent=translate.sent_to_create)
    return await submit(
        context,
        ChangeAssignments(items=items, assignable=context.caller.roles),
        form=translate.BATCH_CREATED,
        options=_options(asked.embed),
        body=document.value,
        dry_run=asked.dry_run,
    )


@router.delete("/assignments/batch", **documents.BATCH_DELETE)
async def remove_users(context: Writer, asked: Annotated[BatchDelete, Depends(query(BatchDelete))]) -> Response:
    """Delete multiple user group assignments."""
    document = await json_body(context.request)
    items = read_items(document, limit=MOST_ITEMS, read=_read_deletion, sent=translate.sent_to_delete)
    return await submit(
        context,
        ChangeAssignments(items=items, assignable=context.caller.roles),
        form=translate.BATCH_DELETED,
        body=document.value,
        dry_run=asked.dry_run,
    )


@router.get("/{group_id}/assignable-roles", **documents.ASSIGNABLE_ROLES)
async def list_assignable_roles(
    context: Reader, group_id: GroupId, asked: Annotated[AssignableRoleList, Depends(query(AssignableRoleList))]
) -> Response:
    """List the roles that the caller may give in the group."""
    return await reading.assignable_roles(context, group_id, asked)


@router.get("/{group_id}/assignments", **documents.ASSIGNMENTS)
async def list_assignments(
    context: Reader, group_id: GroupId, asked: Annotated[AssignmentList, Depends(query(AssignmentList))]
) -> Response:
    """List the group's assignments."""
    return await reading.assignments(context, group_id, asked)


@router.post("/{group_id}/assignments", **documents.CREATE)
async def create_assignment(
    context: Writer, group_id: GroupId, asked: Annotated[SingleWrite, Depends(query(SingleWrite))]
) -> Response:
    """Assign a user to a group with a defined role."""
    document = await json_body(context.request)
    change = translate.creation(group_id, read_model(AssignmentCreate, document))
    return await submit(
        context,
        ChangeAssignments(items=(change,), assignable=context.caller.roles),
        form=translate.CREATED,
        options=_options(asked.embed),
        body=document.value,
    )


@router.get("/{group_id}/assignments/{user_id}/{role_id}", **documents.GET)
async def get_assignment(
    context: Reader,
    group_id: GroupId,
    user_id: UserId,
    role_id: RoleId,
    asked: Annotated[SingleRead, Depends(query(SingleRead))],
) -> Response:
    """Get one assignment."""
    return await reading.assignment(context, group_id, user_id, role_id, asked)


@router.delete(
    "/{group_id}/assignments/{user_id}/{role_id}", dependencies=[Depends(query(NoQuery))], **documents.DELETE
)
async def delete_assignment(context: Writer, group_id: GroupId, user_id: UserId, role_id: RoleId) -> Response:
    """Delete one assignment."""
    await no_body(context.request)
    change = translate.deletion(group_id, user_id, role_id)
    return await submit(
        context, ChangeAssignments(items=(change,), assignable=context.caller.roles), form=translate.DELETED
    )


def _options(embed: tuple[AssignmentEmbed, ...]) -> dict[str, bool]:
    return {"actions": AssignmentEmbed.ACTIONS in embed}
