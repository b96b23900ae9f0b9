"""/v1/entitlements: why people have licences, and what they wait for."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.context import RequestContext, tenant_caller
from api.http.parameters import query
from api.http.responses import json_response
from api.native import examples, leads, license_answers, license_examples
from api.native.cursors import decode_cursor, encode_cursor
from api.native.queries import EntitlementsQuery
from domain.errors import ErrorCode
from infra.postgres.reads.entitlements import (
    FIRST_PLACE,
    EntitlementFilter,
    UnknownKeyError,
    page_of_entitlements,
)

router = APIRouter(tags=["licences"])

_UNKNOWN = {
    "user": ErrorCode.USER_DOES_NOT_EXIST,
    "license": ErrorCode.LICENSE_DOES_NOT_EXIST,
    "group": ErrorCode.USER_GROUP_DOES_NOT_EXIST,
}


@router.get(
    "/v1/entitlements",
    **described(
        summary="List who has or waits for a licence, and why",
        family=NATIVE,
        query=EntitlementsQuery,
        answers={
            200: Shown(model=license_answers.EntitlementPage, example=examples.page(license_examples.ENTITLEMENT))
        },
        refusals=[*_UNKNOWN.values()],
        links=(
            *leads.to_user("items/0/user/key"),
            *leads.to_license("items/0/license/key"),
            *leads.to_operation("items/0/sources/0/operation_id"),
        ),
    ),
)
async def list_entitlements(
    context: Annotated[RequestContext, Depends(tenant_caller("licenses:read"))],
    asked: Annotated[EntitlementsQuery, Depends(query(EntitlementsQuery))],
) -> Response:
    """Every source with since when and by which operation, or the place in the waiting list and what is missing."""
    place = decode_cursor(asked.cursor, first=FIRST_PLACE)
    wanted = EntitlementFilter(**asked.model_dump(exclude={"cursor", "limit"}))
    try:
        page = await page_of_entitlements(
            context.database, context.tenant_id, wanted=wanted, after=place, limit=asked.limit
        )
    except UnknownKeyError as unknown:
        raise ApiError(_UNKNOWN[unknown.named]) from None
    items = [row.document for row in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})
