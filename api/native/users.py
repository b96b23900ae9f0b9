"""/v1/users: people, one by one, as a list, and by the thousand."""

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
from api.native.queries import BatchQuery, UsersQuery
from api.native.schemas import UserBatch, UserBody, UserItem
from api.native.translate import sent_key, user_put
from api.native.views import user_body
from api.native.writing import batch, own_key, possible_key, write
from domain.commands import DeleteUsers, PutUsers
from domain.errors import ErrorCode
from infra.postgres.reads.directory import UserFilter, find_user, page_of_users

router = APIRouter(tags=["users"])

Reading = Annotated[RequestContext, Depends(tenant_caller("directory:read"))]
Writing = Annotated[RequestContext, Depends(tenant_caller("directory:write"))]
Plain = Annotated[NoQuery, Depends(query(NoQuery))]
Bodyless = Annotated[None, Depends(no_body)]


@router.get(
    "/v1/users",
    **described(
        summary="List people",
        family=NATIVE,
        query=UsersQuery,
        answers={200: Shown(model=answers.UserPage, example=examples.page(examples.USER))},
        refusals=[ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        links=leads.to_user("items/0/key"),
    ),
)
async def list_users(context: Reading, asked: Annotated[UsersQuery, Depends(query(UsersQuery))]) -> Response:
    """In the order in which they were created."""
    (after,) = decode_cursor(asked.cursor, first=(0,))
    wanted = UserFilter(**asked.model_dump(exclude={"cursor", "limit"}))
    page = await page_of_users(context.database, context.tenant_id, wanted=wanted, after=after, limit=asked.limit)
    if page is None:
        raise ApiError(ErrorCode.USER_GROUP_DOES_NOT_EXIST)
    items = [user_body(user) for user in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/users:batch",
    **described(
        summary="Create or replace up to 1,000 people",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=UserBatch, example=examples.USER_BATCH),
        answers={200: Shown(model=answers.StoredItems, example=examples.STORED_ITEMS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=leads.with_user("items/0/key"),
    ),
)
async def put_users(
    context: Writing,
    asked: Annotated[BatchQuery, Depends(query(BatchQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """Items are decided in order, each for itself: names may be swapped."""
    items = batch(document, UserItem, lambda item: user_put(item.key, item), sent_key)
    return await write(context, PutUsers(items=items), form="native.batch", body=document.value, dry_run=asked.dry_run)


@router.get(
    "/v1/users/{key}",
    **described(
        summary="Read a person",
        family=NATIVE,
        answers={200: Shown(model=answers.DirectoryUser, example=examples.USER)},
        refusals=[ErrorCode.USER_DOES_NOT_EXIST],
        links=leads.with_user("key"),
    ),
)
async def get_user(context: Reading, key: str) -> Response:
    """By the upstream's key."""
    possible = possible_key(key, ErrorCode.USER_DOES_NOT_EXIST)
    user = await find_user(context.database, context.tenant_id, possible)
    if user is None:
        raise ApiError(ErrorCode.USER_DOES_NOT_EXIST)
    return json_response(user_body(user))


@router.put(
    "/v1/users/{key}",
    **described(
        summary="Create or replace a person",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=UserBody, example=examples.USER_FIELDS),
        answers={
            201: Shown(model=answers.DirectoryUser, example=examples.USER, description="Created."),
            200: Shown(model=answers.DirectoryUser, example=examples.USER, description="Replaced."),
        },
        refusals=[ErrorCode.USERNAME_TAKEN, ErrorCode.EMAIL_TAKEN, ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        is_write=True,
        links=leads.with_user("key"),
    ),
)
async def put_user(context: Writing, key: str, _: Plain, document: Annotated[Document, Depends(json_body)]) -> Response:
    """What is omitted takes its default."""
    body = read_model(UserBody, document)
    item = user_put(own_key(key, body.key), body)
    return await write(context, PutUsers(items=(item,)), form="native.user", body=document.value)


@router.delete(
    "/v1/users/{key}",
    **described(
        summary="Delete a person with everything they hold",
        family=NATIVE,
        query=NoQuery,
        answers={204: Shown(model=None, description="Gone.")},
        refusals=[ErrorCode.USER_DOES_NOT_EXIST],
        is_write=True,
    ),
)
async def delete_user(context: Writing, key: str, _: Plain, __: Bodyless) -> Response:
    """The key may be used again at once."""
    possible = possible_key(key, ErrorCode.USER_DOES_NOT_EXIST)
    return await write(context, DeleteUsers(keys=(possible,)), form="native.deleted")
