"""/v1/groups: groups, one by one, as a list, and by the thousand."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.json_reading import Document
from api.http.parameters import NoQuery, query
from api.http.responses import json_response
from api.native import answers, examples, leads, license_answers, license_examples
from api.native.cursors import decode_cursor, encode_cursor
from api.native.queries import BatchQuery, DeleteQuery, GroupsQuery
from api.native.schemas import GroupBatch, GroupBody, GroupItem
from api.native.translate import group_put, sent_key
from api.native.views import group_body
from api.native.writing import batch, own_key, possible_key, write
from domain.commands import DeleteGroups, PutGroups
from domain.errors import ErrorCode
from domain.license_commands import ReprocessGroup
from infra.postgres.reads.directory import find_group, page_of_groups

router = APIRouter(tags=["groups"])

Reading = Annotated[RequestContext, Depends(tenant_caller("directory:read", "groups:read"))]
Writing = Annotated[RequestContext, Depends(tenant_caller("directory:write"))]
Plain = Annotated[NoQuery, Depends(query(NoQuery))]
Bodyless = Annotated[None, Depends(no_body)]


@router.get(
    "/v1/groups",
    **described(
        summary="List groups",
        family=NATIVE,
        query=GroupsQuery,
        answers={200: Shown(model=answers.GroupPage, example=examples.page(examples.GROUP))},
        links=leads.to_group("items/0/key"),
    ),
)
async def list_groups(context: Reading, asked: Annotated[GroupsQuery, Depends(query(GroupsQuery))]) -> Response:
    """In the order in which they were created."""
    (after,) = decode_cursor(asked.cursor, first=(0,))
    page = await page_of_groups(context.database, context.tenant_id, name=asked.name, after=after, limit=asked.limit)
    items = [group_body(group) for group in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/groups:batch",
    **described(
        summary="Create or replace up to 1,000 groups",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=GroupBatch, example=examples.GROUP_BATCH),
        answers={200: Shown(model=answers.StoredItems, example=examples.STORED_ITEMS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=leads.with_group("items/0/key"),
    ),
)
async def put_groups(
    context: Writing,
    asked: Annotated[BatchQuery, Depends(query(BatchQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """Items are decided in order, each for itself."""
    items = batch(document, GroupItem, lambda item: group_put(item.key, item), sent_key)
    return await write(context, PutGroups(items=items), form="native.batch", body=document.value, dry_run=asked.dry_run)


@router.get(
    "/v1/groups/{key}",
    **described(
        summary="Read a group",
        family=NATIVE,
        answers={200: Shown(model=answers.DirectoryGroup, example=examples.GROUP)},
        refusals=[ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        links=leads.with_group("key"),
    ),
)
async def get_group(context: Reading, key: str) -> Response:
    """By the upstream's key."""
    possible = possible_key(key, ErrorCode.USER_GROUP_DOES_NOT_EXIST)
    group = await find_group(context.database, context.tenant_id, possible)
    if group is None:
        raise ApiError(ErrorCode.USER_GROUP_DOES_NOT_EXIST)
    return json_response(group_body(group))


@router.put(
    "/v1/groups/{key}",
    **described(
        summary="Create or replace a group",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=GroupBody, example=examples.GROUP_FIELDS),
        answers={
            201: Shown(model=answers.DirectoryGroup, example=examples.GROUP, description="Created."),
            200: Shown(model=answers.DirectoryGroup, example=examples.GROUP, description="Replaced."),
        },
        is_write=True,
        links=leads.with_group("key"),
    ),
)
async def put_group(
    context: Writing, key: str, _: Plain, document: Annotated[Document, Depends(json_body)]
) -> Response:
    """Replacing renames it; its people stay."""
    body = read_model(GroupBody, document)
    item = group_put(own_key(key, body.key), body)
    return await write(context, PutGroups(items=(item,)), form="native.group", body=document.value)


@router.delete(
    "/v1/groups/{key}",
    **described(
        summary="Delete a group",
        family=NATIVE,
        query=DeleteQuery,
        answers={204: Shown(model=None, description="Gone.")},
        refusals=[ErrorCode.USER_GROUP_DOES_NOT_EXIST, ErrorCode.USER_GROUP_IN_USE],
        is_write=True,
    ),
)
async def delete_group(
    context: Writing, key: str, asked: Annotated[DeleteQuery, Depends(query(DeleteQuery))], _: Bodyless
) -> Response:
    """A group in use (people, or somebody's primary group) goes only with `cascade=true`."""
    possible = possible_key(key, ErrorCode.USER_GROUP_DOES_NOT_EXIST)
    return await write(context, DeleteGroups(keys=(possible,), cascade=asked.cascade), form="native.deleted")


@router.post(
    "/v1/groups/{key}:reprocess",
    **described(
        summary="Bring the licences of a group's members to what the group gives",
        family=NATIVE,
        query=NoQuery,
        answers={200: Shown(model=license_answers.Reprocessed, example=license_examples.REPROCESSED)},
        refusals=[ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        is_write=True,
        links=leads.to_group("group/key"),
    ),
)
async def reprocess_group(
    context: Annotated[RequestContext, Depends(tenant_caller("directory:write", "licenses:write"))],
    key: str,
    _: Plain,
    __: Bodyless,
) -> Response:
    """Nothing changes where all is as it should be."""
    possible = possible_key(key, ErrorCode.USER_GROUP_DOES_NOT_EXIST)
    return await write(context, ReprocessGroup(group=possible), form="native.reprocessed")
