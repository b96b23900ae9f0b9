"""/v1/ops/fulfilment: what groups were given, how full the pools are, and who waits for what.

One rule: everything is read as it is now, so that a fan-out moves while somebody looks.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import link, shown
from api.errors.api_error import ApiError, invalid_parameter
from api.errors.families import NATIVE
from api.http.parameters import query
from api.http.responses import json_response
from api.native import leads
from api.native.cursors import decode_cursor, encode_cursor
from api.native.ops import fulfilment_schemas, room_examples
from api.native.ops.access import Looking
from api.native.ops.queries import GroupFulfilmentQuery, RoomListQuery, WaitingQuery
from api.native.ops.tenants import tenant_named
from domain.errors import JSON, ErrorCode
from domain.outcomes import timestamp
from infra.postgres.reads.entitlements import UnknownKeyError
from infra.postgres.reads.fulfilment import (
    FIRST,
    FIRST_WAITING,
    GrantRow,
    NamedThing,
    PoolRow,
    WaitingRow,
    page_of_grants,
    page_of_pools,
    page_of_waiting,
    page_of_waiting_of,
)
from infra.postgres.reads.pages import Place

router = APIRouter(tags=["operators"])

_WHO_WAITS = (link("list_who_waits", tenant=shown("items/0/tenant"), license=shown("items/0/license/key")),)


@router.get(
    "/v1/ops/fulfilment/groups",
    **described(
        summary="List what groups were given",
        family=NATIVE,
        query=GroupFulfilmentQuery,
        answers={
            200: Shown(model=fulfilment_schemas.GroupFulfilmentPage, example=room_examples.page(room_examples.GRANT))
        },
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
        links=_WHO_WAITS,
    ),
)
async def list_group_fulfilment(
    context: Looking, asked: Annotated[GroupFulfilmentQuery, Depends(query(GroupFulfilmentQuery))]
) -> Response:
    """By tenant, in the order in which they were given."""
    tenant = await tenant_named(context.services, asked.tenant)
    page = await page_of_grants(
        context.services.database,
        tenant_id=None if tenant is None else tenant.id,
        state=asked.state,
        after=decode_cursor(asked.cursor, first=FIRST),
        limit=asked.limit,
    )
    return _page([_grant(row) for row in page.items], page.next)


@router.get(
    "/v1/ops/fulfilment/licenses",
    **described(
        summary="List licences by how full they are",
        family=NATIVE,
        query=RoomListQuery,
        answers={200: Shown(model=fulfilment_schemas.PoolPage, example=room_examples.page(room_examples.POOL))},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
        links=_WHO_WAITS,
    ),
)
async def list_pools(context: Looking, asked: Annotated[RoomListQuery, Depends(query(RoomListQuery))]) -> Response:
    """By tenant, in the order of their ids."""
    tenant = await tenant_named(context.services, asked.tenant)
    page = await page_of_pools(
        context.services.database,
        tenant_id=None if tenant is None else tenant.id,
        after=decode_cursor(asked.cursor, first=FIRST),
        limit=asked.limit,
    )
    return _page([_pool(row) for row in page.items], page.next)


@router.get(
    "/v1/ops/fulfilment/waiting",
    **described(
        summary="List who waits",
        family=NATIVE,
        query=WaitingQuery,
        answers={200: Shown(model=fulfilment_schemas.WaitingPage, example=room_examples.page(room_examples.WAITING))},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST, ErrorCode.LICENSE_DOES_NOT_EXIST],
        links=leads.to_any_operation("items/0/sources/0/operation_id"),
    ),
)
async def list_who_waits(context: Looking, asked: Annotated[WaitingQuery, Depends(query(WaitingQuery))]) -> Response:
    """By tenant and licence, with everybody's place in line."""
    database, tenant = context.services.database, await tenant_named(context.services, asked.tenant)
    after = decode_cursor(asked.cursor, first=FIRST_WAITING)
    if tenant is None:
        if asked.license is not None:
            raise invalid_parameter("tenant", "required")
        page = await page_of_waiting(database, after=after, limit=asked.limit)
    else:
        try:
            page = await page_of_waiting_of(database, tenant, license_key=asked.license, after=after, limit=asked.limit)
        except UnknownKeyError:
            raise ApiError(ErrorCode.LICENSE_DOES_NOT_EXIST) from None
    return _page([_waiting(row) for row in page.items], page.next)


def _page(items: Sequence[JSON], following: Place | None) -> Response:
    return json_response({"items": [*items], "next_cursor": encode_cursor(following)})


def _named(thing: NamedThing) -> JSON:
    return {"id": thing.id, "key": thing.key, "name": thing.name}


def _grant(row: GrantRow) -> JSON:
    running = row.running
    return {
        "tenant": row.tenant,
        "group": _named(row.group),
        "license": _named(row.license),
        "members": row.members,
        "assigned": row.assigned,
        "waiting": row.waiting,
        "suspended": row.suspended,
        "fulfilled": row.fulfilled,
        "running": None
        if running is None
        else {"operation_id": str(running.operation_id), "done": running.done, "total": running.total},
    }


def _pool(row: PoolRow) -> JSON:
    return {
        "tenant": row.tenant,
        "license": _named(row.license),
        "kind": row.kind,
        "capacity": row.capacity,
        "used": row.used,
        "reserved": row.reserved,
        "waiting": row.waiting,
        "utilisation": row.utilisation,
        "active": row.active,
        "expires_at": None if row.expires_at is None else timestamp(row.expires_at),
    }


def _waiting(row: WaitingRow) -> JSON:
    """Ids and keys only: an address that stands for nobody yet is not shown."""
    one = row.explanation
    return {
        "tenant": row.tenant,
        "license": one.license.document,
        "user": None if one.user is None else one.user.document,
        "state": one.state.shown,
        "waiting_for": one.waiting_for,
        "position": one.position,
        "position_beyond": one.position_beyond,
        "asked_at": timestamp(one.since),
        "sources": [reason.document for reason in one.reasons],
    }
