"""/v1/events: the tenant's log of events, by page or followed live, in the very bytes that are published."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.authentication import TooManyBadCredentialsError, UnauthenticatedError
from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.headers import LAST_EVENT_ID
from api.errors.api_error import ApiError, invalid_parameter
from api.errors.families import NATIVE
from api.http.context import RequestContext, caller_of, tenant_caller
from api.http.parameters import query
from api.native import answers, examples, leads
from api.native.event_stream import Followed
from api.native.following import follower_of, following
from api.native.queries import EventsQuery, sequence_of
from api.native.streaming import LiveStream, wants_stream
from domain.errors import ErrorCode
from infra.cloudevents import wire_sequence
from infra.postgres.reads.events import EventsExpiredError, LogPage, page_of_events

router = APIRouter(tags=["events"], lifespan=following)

SCOPE = "operations:read"


@router.get(
    "/v1/events",
    **described(
        summary="Read or follow the tenant's events",
        family=NATIVE,
        query=EventsQuery,
        answers={200: Shown(model=answers.EventPage, example=examples.EVENTS)},
        refusals=[ErrorCode.EVENTS_EXPIRED],
        headers=[LAST_EVENT_ID],
        stream=examples.EVENT_STREAM,
        links=leads.to_operation("events/0/operationid"),
    ),
)
async def read_events(
    context: Annotated[RequestContext, Depends(tenant_caller(SCOPE))],
    asked: Annotated[EventsQuery, Depends(query(EventsQuery))],
) -> Response:
    """With `Accept: text/event-stream` the answer goes on as events come, and `Last-Event-ID` resumes it."""
    if wants_stream(context.request):
        return await _stream(context, asked)
    page = await _page(context, asked, asked.after)
    body = b'{"events":[%b],"next":"%b"}' % (
        b",".join(event.body for event in page.events),
        wire_sequence(page.next).encode(),
    )
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


async def _stream(context: RequestContext, asked: EventsQuery) -> Response:
    last = context.request.headers.get("last-event-id")
    after = asked.after if last is None else _last_event(last)
    first = await _page(context, asked, after)

    async def read(sequence: int) -> LogPage:
        return await _log(context, asked, sequence)

    async def may_go_on() -> bool:
        return await _is_still_allowed(context)

    followed = Followed(
        tenant_id=context.tenant_id, read=read, may_go_on=may_go_on, follower=follower_of(context.request)
    )
    return LiveStream(followed.parts(first))


async def _page(context: RequestContext, asked: EventsQuery, after: int | None) -> LogPage:
    try:
        return await _log(context, asked, after)
    except EventsExpiredError as expired:
        raise ApiError(ErrorCode.EVENTS_EXPIRED, details={"earliest": wire_sequence(expired.earliest)}) from None


async def _log(context: RequestContext, asked: EventsQuery, after: int | None) -> LogPage:
    types = [event_type.value for event_type in dict.fromkeys(asked.types)]
    return await page_of_events(
        context.database, context.tenant_id, after=after, limit=asked.limit, types=types or None
    )


async def _is_still_allowed(context: RequestContext) -> bool:
    """A stream outlives the moment in which its caller was authenticated; a revoked token ends it."""
    try:
        caller = await caller_of(context.request)
    except (UnauthenticatedError, TooManyBadCredentialsError):
        return False
    return caller.may(SCOPE) and caller.tenant_id == context.tenant_id


def _last_event(header: str) -> int:
    sequence = sequence_of(header.strip())
    if sequence is None:
        raise invalid_parameter("Last-Event-ID", "wrong_form")
    return sequence
