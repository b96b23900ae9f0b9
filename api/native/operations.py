"""/v1/operations: what became of accepted writes, one by its id or as a list, newest first."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import OperationBody, Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.context import RequestContext, tenant_caller
from api.http.operation import operation_body
from api.http.parameters import query
from api.http.responses import json_response
from api.native import answers, examples, leads
from api.native.cursors import decode_cursor, encode_cursor
from api.native.queries import OperationsQuery
from api.native.views import listed_operation
from domain.errors import ErrorCode
from infra.postgres.reads.operations import NEWEST, OperationFilter, find_operation, page_of_operations

router = APIRouter(tags=["operations"])

Reading = Annotated[RequestContext, Depends(tenant_caller("operations:read"))]


@router.get(
    "/v1/operations",
    **described(
        summary="List operations",
        family=NATIVE,
        query=OperationsQuery,
        answers={200: Shown(model=answers.OperationPage, example=examples.page(examples.LISTED_OPERATION))},
        links=leads.to_operation("items/0/id"),
    ),
)
async def list_operations(
    context: Reading, asked: Annotated[OperationsQuery, Depends(query(OperationsQuery))]
) -> Response:
    """Newest first, without their answers."""
    (before,) = decode_cursor(asked.cursor, first=(NEWEST,))
    wanted = OperationFilter(
        statuses=[status.value for status in asked.status] or None,
        kinds=[kind.value for kind in asked.kind] or None,
        since=asked.since,
    )
    page = await page_of_operations(
        context.database, context.tenant_id, wanted=wanted, before=before, limit=asked.limit
    )
    items = [listed_operation(row, context.languages) for row in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.get(
    "/v1/operations/{operation_id}",
    **described(
        summary="Read an operation",
        family=NATIVE,
        answers={200: Shown(model=OperationBody, example=examples.OPERATION)},
        refusals=[ErrorCode.OPERATION_DOES_NOT_EXIST],
    ),
)
async def get_operation(context: Reading, operation_id: str) -> Response:
    """With the answer that the call gave or would have given."""
    try:
        wanted = UUID(operation_id)
    except ValueError:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST) from None
    view = await find_operation(context.database, context.tenant_id, wanted)
    if view is None:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST)
    return json_response(operation_body(view, context.services.forms))
