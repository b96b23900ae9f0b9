"""/v1/roles: roles, one by one, as a list, and by the thousand."""

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
from api.native import answers, examples, leads
from api.native.cursors import decode_cursor, encode_cursor
from api.native.queries import BatchQuery, DeleteQuery, RolesQuery
from api.native.schemas import RoleBatch, RoleBody, RoleItem
from api.native.translate import role_put, sent_key
from api.native.views import role_body
from api.native.writing import batch, own_key, possible_key, write
from domain.commands import DeleteRoles, PutRoles
from domain.errors import ErrorCode
from infra.postgres.reads.directory import find_role, page_of_roles

router = APIRouter(tags=["roles"])

Reading = Annotated[RequestContext, Depends(tenant_caller("directory:read", "groups:read"))]
Writing = Annotated[RequestContext, Depends(tenant_caller("directory:write"))]
Plain = Annotated[NoQuery, Depends(query(NoQuery))]
Bodyless = Annotated[None, Depends(no_body)]


@router.get(
    "/v1/roles",
    **described(
        summary="List roles",
        family=NATIVE,
        query=RolesQuery,
        answers={200: Shown(model=answers.RolePage, example=examples.page(examples.ROLE))},
        links=leads.to_role("items/0/key"),
    ),
)
async def list_roles(context: Reading, asked: Annotated[RolesQuery, Depends(query(RolesQuery))]) -> Response:
    """In the order in which they were created."""
    (after,) = decode_cursor(asked.cursor, first=(0,))
    page = await page_of_roles(
        context.database,
        context.tenant_id,
        permission_scope=asked.permission_scope,
        after=after,
        limit=asked.limit,
    )
    items = [role_body(role) for role in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/roles:batch",
    **described(
        summary="Create or replace up to 1,000 roles",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=RoleBatch, example=examples.ROLE_BATCH),
        answers={200: Shown(model=answers.StoredItems, example=examples.STORED_ITEMS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=leads.with_role("items/0/key"),
    ),
)
async def put_roles(
    context: Writing,
    asked: Annotated[BatchQuery, Depends(query(BatchQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """Items are decided in order, each for itself."""
    items = batch(document, RoleItem, lambda item: role_put(item.key, item), sent_key)
    return await write(context, PutRoles(items=items), form="native.batch", body=document.value, dry_run=asked.dry_run)


@router.get(
    "/v1/roles/{key}",
    **described(
        summary="Read a role",
        family=NATIVE,
        answers={200: Shown(model=answers.DirectoryRole, example=examples.ROLE)},
        refusals=[ErrorCode.ROLE_DOES_NOT_EXIST],
        links=leads.with_role("key"),
    ),
)
async def get_role(context: Reading, key: str) -> Response:
    """By the upstream's key."""
    possible = possible_key(key, ErrorCode.ROLE_DOES_NOT_EXIST)
    role = await find_role(context.database, context.tenant_id, possible)
    if role is None:
        raise ApiError(ErrorCode.ROLE_DOES_NOT_EXIST)
    return json_response(role_body(role))


@router.put(
    "/v1/roles/{key}",
    **described(
        summary="Create or replace a role",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=RoleBody, example=examples.ROLE_FIELDS),
        answers={
            201: Shown(model=answers.DirectoryRole, example=examples.ROLE, description="Created."),
            200: Shown(model=answers.DirectoryRole, example=examples.ROLE, description="Replaced."),
        },
        is_write=True,
        links=leads.with_role("key"),
    ),
)
async def put_role(context: Writing, key: str, _: Plain, document: Annotated[Document, Depends(json_body)]) -> Response:
    """A new permission scope keeps those who hold it; it decides who may be given it from now on."""
    body = read_model(RoleBody, document)
    item = role_put(own_key(key, body.key), body)
    return await write(context, PutRoles(items=(item,)), form="native.role", body=document.value)


@router.delete(
    "/v1/roles/{key}",
    **described(
        summary="Delete a role",
        family=NATIVE,
        query=DeleteQuery,
        answers={204: Shown(model=None, description="Gone.")},
        refusals=[ErrorCode.ROLE_DOES_NOT_EXIST, ErrorCode.ROLE_IN_USE, ErrorCode.ROLE_IS_BUILT_IN],
        is_write=True,
    ),
)
async def delete_role(
    context: Writing, key: str, asked: Annotated[DeleteQuery, Depends(query(DeleteQuery))], _: Bodyless
) -> Response:
    """A role that somebody holds goes only with `cascade=true`; `member` never."""
    possible = possible_key(key, ErrorCode.ROLE_DOES_NOT_EXIST)
    return await write(context, DeleteRoles(keys=(possible,), cascade=asked.cascade), form="native.deleted")
