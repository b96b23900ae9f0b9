"""/v1/ops/operations: any one operation found, looked into, and taken back while it is queued."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import link, shown
from api.errors.api_error import ApiError, invalid_parameter
from api.errors.families import NATIVE
from api.http.bodies import no_body
from api.http.context import RequestContext
from api.http.parameters import NoQuery, query
from api.http.preferences import Preferences, idempotency_key
from api.http.responses import json_response
from api.native import leads
from api.native.cursors import decode_cursor, encode_cursor
from api.native.ops import examples, schemas
from api.native.ops.access import Acting, Looking
from api.native.ops.asking import operation_place, operation_view, tenant_number, whole
from api.native.ops.views import found_operation
from api.native.queries import FoundOperationQuery, FoundOperationsQuery
from domain.audit import Action, AuditEntry
from domain.columns import itemized
from domain.errors import JSON, ErrorCode
from domain.outcomes import OperationStatus, timestamp
from infra.postgres.audit import write_audit
from infra.postgres.cancelling import request_cancellation
from infra.postgres.reads.found_operations import (
    FoundPage,
    Key,
    Wanted,
    find_operations,
    listed_operations,
    mentioned,
    place_of,
    places_by_key,
)

router = APIRouter(tags=["operators"])

_NEWEST = 2**63 - 1


@router.get(
    "/v1/ops/operations",
    **described(
        summary="Find operations",
        family=NATIVE,
        query=FoundOperationsQuery,
        answers={200: Shown(model=schemas.FoundOperationPage, example=examples.OPERATION_PAGE)},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
        links=leads.to_any_operation("items/0/id"),
    ),
)
async def search_operations(
    context: Looking, asked: Annotated[FoundOperationsQuery, Depends(query(FoundOperationsQuery))]
) -> Response:
    """Newest first, of all tenants or of one. `scanned_until` says how far back was looked, where more may follow."""
    tenant_id = await tenant_number(context, asked.tenant)
    if asked.id is not None or asked.idempotency_key is not None:
        page = await _probed(context, asked, tenant_id)
    else:
        page = await _searched(context, asked, tenant_id)
    until: JSON = None if page.scanned_until is None else timestamp(page.scanned_until)
    items = [found_operation(found) for found in page.items]
    place = None if page.next is None else (page.next,)
    return json_response({"items": [*items], "next_cursor": encode_cursor(place), "scanned_until": until})


async def _probed(context: RequestContext, asked: FoundOperationsQuery, tenant_id: int | None) -> FoundPage:
    """By an id or a key, which name at most one operation of a tenant."""
    database = context.services.database
    places = []
    if asked.id is not None:
        try:
            place = await place_of(database, UUID(asked.id), tenant_id)
        except ValueError:
            raise invalid_parameter("id", "wrong_form") from None
        places = [] if place is None else [place]
    if asked.idempotency_key is not None:
        held = [one.operation for one in await places_by_key(database, asked.idempotency_key, tenant_id)]
        places = held if asked.id is None else [place for place in places if place in held]
    return FoundPage(items=await listed_operations(database, places[: asked.limit]))


async def _searched(context: RequestContext, asked: FoundOperationsQuery, tenant_id: int | None) -> FoundPage:
    (before,) = decode_cursor(asked.cursor, first=(_NEWEST,))
    named = None
    if asked.user is not None or asked.group is not None or asked.license is not None:
        if tenant_id is None:
            raise invalid_parameter("tenant", "required")
        named = await mentioned(
            context.services.database, tenant_id, user=asked.user, group=asked.group, license_key=asked.license
        )
    wanted = Wanted(
        tenant_id=tenant_id,
        statuses=asked.status or None,
        kinds=[kind.value for kind in asked.kind] or None,
        since=asked.since,
        until=asked.until,
        named=named,
    )
    place = None if before == _NEWEST else before
    return await find_operations(context.services.database, wanted, before=place, limit=asked.limit)


@router.get(
    "/v1/ops/operations/{operation_id}",
    **described(
        summary="Look into an operation",
        family=NATIVE,
        query=FoundOperationQuery,
        answers={200: Shown(model=schemas.WholeOperation, example=examples.WHOLE_OPERATION)},
        refusals=[ErrorCode.OPERATION_DOES_NOT_EXIST],
        links=(*leads.to_any_operation("id"), link("cancel_operation", operation_id=shown("id"))),
    ),
)
async def look_into_operation(
    context: Looking, operation_id: str, asked: Annotated[FoundOperationQuery, Depends(query(FoundOperationQuery))]
) -> Response:
    """Its moments, outcomes, answer and events. Its request is redacted: to read that is a call of its own."""
    place = await operation_place(context, operation_id)
    return json_response(await whole(context, place, after=asked.outcomes_after, limit=asked.outcomes_limit))


@router.get(
    "/v1/ops/operations/{operation_id}/request",
    **described(
        summary="Read an operation's request",
        family=NATIVE,
        answers={200: Shown(model=schemas.ReadRequest, example=examples.READ_REQUEST)},
        refusals=[ErrorCode.OPERATION_DOES_NOT_EXIST],
    ),
)
async def read_operation_request(context: Looking, operation_id: str) -> Response:
    """What was asked, with an object for each item. That it was read is on record."""
    place = await operation_place(context, operation_id)
    view = await operation_view(context, place)
    entry = AuditEntry(
        actor=context.caller.actor, action=Action.REQUEST_READ, subject=f"operations/{view.id}", tenant_id=place[0]
    )
    async with context.services.database.transaction() as tx:
        await write_audit(tx, entry)
    return json_response({"request": itemized(view.request)})


@router.post(
    "/v1/ops/operations/{operation_id}:cancel",
    **described(
        summary="Cancel a queued operation",
        family=NATIVE,
        query=NoQuery,
        answers={
            200: Shown(model=schemas.WholeOperation, example=examples.CANCELLED_OPERATION),
            202: Shown(
                model=schemas.WholeOperation,
                example=examples.QUEUED_OPERATION,
                description="Marked: it will not be applied, but no worker has been there yet to end it.",
            ),
        },
        refusals=[ErrorCode.OPERATION_DOES_NOT_EXIST, ErrorCode.OPERATION_NOT_QUEUED],
        is_write=True,
        links=leads.to_any_operation("id"),
    ),
)
async def cancel_operation(
    context: Acting,
    operation_id: str,
    _: Annotated[NoQuery, Depends(query(NoQuery))],
    __: Annotated[None, Depends(no_body)],
) -> Response:
    """It is ended before anything else of its tenant is applied, wherever it stands in the queue."""
    place = await operation_place(context, operation_id)
    preferences = Preferences.of(context.request.headers)
    headers = {"Seatline-Operation": str(place[1])}
    if idempotency_key(context.request.headers) is not None and await _is_cancelled(context, place):
        return json_response(await whole(context, place), headers={**headers, "Idempotency-Replayed": "true"})
    async with context.services.database.transaction() as tx:
        if not await request_cancellation(tx, place):
            raise ApiError(ErrorCode.OPERATION_NOT_QUEUED, operation_id=place[1])
        entry = AuditEntry(
            actor=context.caller.actor, action=Action.CANCEL, subject=f"operations/{place[1]}", tenant_id=place[0]
        )
        await write_audit(tx, entry)
    ended = await context.services.intake.watch(*place, wait=preferences.limit(context.services.settings.wait))
    if ended is not None and ended.status is not OperationStatus.CANCELLED:
        # A pass was at it already, and has committed.
        raise ApiError(ErrorCode.OPERATION_NOT_QUEUED, operation_id=place[1])
    if applied := preferences.applied(accepted_only=ended is None):
        headers["Preference-Applied"] = applied
    if ended is None:
        headers |= {"Location": f"/v1/ops/operations/{place[1]}", "Retry-After": "1"}
    return json_response(await whole(context, place), 202 if ended is None else 200, headers=headers)


async def _is_cancelled(context: RequestContext, place: Key) -> bool:
    """A cancellation that is sent again under its key finds its work done."""
    return (await operation_view(context, place)).status is OperationStatus.CANCELLED
