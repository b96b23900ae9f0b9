"""/v1/ops/events: what happened, across tenants or of one, the newest or from a place on, by page or live.

One rule: events are shown in the bytes that are published; only `/v1/events` and a tenant's pages are without gaps.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.headers import LAST_EVENT_ID
from api.errors.api_error import ApiError, invalid_parameter
from api.errors.families import NATIVE
from api.http.parameters import query
from api.http.services import services_of
from api.native import leads
from api.native.ops import room_examples, room_schemas
from api.native.ops.access import Looking
from api.native.ops.event_tail import EventTail
from api.native.ops.live import Permission
from api.native.ops.queries import TailQuery
from api.native.ops.tenants import tenant_named
from api.native.stopping import on_stop_signal
from api.native.streaming import KEEP_ALIVE_SECONDS, LiveStream, message, wants_stream
from domain.errors import ErrorCode
from infra.cloudevents import wire_sequence, wire_type
from infra.postgres.reads.event_tail import newest_messages, settled_id
from infra.postgres.reads.events import EventsExpiredError, page_of_events

_LARGEST_ID = 2**63 - 1


@asynccontextmanager
async def _tailing(app: FastAPI) -> AsyncIterator[None]:
    tail = EventTail(services_of({"app": app}).database)
    app.state.event_tail = tail
    with on_stop_signal(tail.stop):
        yield
    await tail.close()


router = APIRouter(tags=["operators"], lifespan=_tailing)


@router.get(
    "/v1/ops/events",
    **described(
        summary="Read or follow events of all tenants",
        family=NATIVE,
        query=TailQuery,
        answers={200: Shown(model=room_schemas.TailPage, example=room_examples.TAIL)},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST, ErrorCode.EVENTS_EXPIRED],
        headers=[LAST_EVENT_ID],
        stream=room_examples.TAIL_STREAM,
        links=leads.to_any_operation("events/0/operationid"),
    ),
)
async def tail_events(context: Looking, asked: Annotated[TailQuery, Depends(query(TailQuery))]) -> Response:
    """With `Accept: text/event-stream` live, resumable by `Last-Event-ID`; else the newest, or those after a place."""
    types = [one.value for one in dict.fromkeys(asked.types)] or None
    tenant = await tenant_named(context.services, asked.tenant)
    tenant_id = None if tenant is None else tenant.id
    if wants_stream(context.request):
        return _stream(context, tenant_id, types)
    if asked.after is None:
        return await _newest(context, tenant_id, asked, types)
    if tenant_id is None:
        raise invalid_parameter("tenant", "required")
    return await _page_after(context, tenant_id, asked, types)


async def _newest(context: Looking, tenant_id: int | None, asked: TailQuery, types: Sequence[str] | None) -> Response:
    database = context.services.database
    # Before the page is read: what is committed between the two comes twice, and nothing is missed.
    settled = await settled_id(database)
    found = await newest_messages(database, tenant_id=tenant_id, types=types, limit=asked.limit)
    return _page([event for one in found for event in one.events][-asked.limit :], last_event_id=settled)


async def _page_after(context: Looking, tenant_id: int, asked: TailQuery, types: Sequence[str] | None) -> Response:
    try:
        page = await page_of_events(
            context.services.database, tenant_id, after=asked.after, limit=asked.limit, types=types
        )
    except EventsExpiredError as expired:
        raise ApiError(ErrorCode.EVENTS_EXPIRED, details={"earliest": wire_sequence(expired.earliest)}) from None
    return _page([event.body for event in page.events], following=page.next)


def _page(events: Sequence[bytes], *, following: int | None = None, last_event_id: int | None = None) -> Response:
    after = b"null" if following is None else b'"%b"' % wire_sequence(following).encode()
    settled = b"null" if last_event_id is None else b'"%d"' % last_event_id
    return Response(
        b'{"events":[%b],"next":%b,"last_event_id":%b}' % (b",".join(events), after, settled),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _stream(context: Looking, tenant_id: int | None, types: Sequence[str] | None) -> LiveStream:
    last = context.request.headers.get("last-event-id")
    after = None if last is None else _message_id(last)
    tail = cast("EventTail", context.request.app.state.event_tail)
    permission = Permission(context, "ops:read", "ops:write")
    return LiveStream(_events(tail, permission, after, tenant_id, types))


async def _events(
    tail: EventTail, permission: Permission, after: int | None, tenant_id: int | None, types: Sequence[str] | None
) -> AsyncGenerator[bytes, None]:
    reached = after
    async for one in tail.follow(after, quiet_seconds=KEEP_ALIVE_SECONDS):
        if not await permission.lasts():
            return
        if one is None:
            yield b": keep-alive\n\n"
            continue
        if tenant_id in {None, one.tenant_id} and (types is None or one.type in types):
            before = None if reached is None else str(reached)
            *others, final = one.events
            # Who is cut off within a message gets the whole of it again.
            for event in others:
                yield message(wire_type(one.type), event, identifier=before)
            yield message(wire_type(one.type), final, identifier=str(one.id))
        reached = one.id


def _message_id(header: str) -> int:
    text = header.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_ID)) and int(text) <= _LARGEST_ID):
        raise invalid_parameter("Last-Event-ID", "wrong_form")
    return int(text)
