"""/v1/ops/overview: the installation at a glance, its last hours, and the same live.

One rule: one reader for the process, however many watch.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI
from pydantic_core import to_json
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.families import NATIVE
from api.http.parameters import NoQuery, query
from api.http.responses import json_response
from api.http.services import services_of
from api.native import leads
from api.native.ops import room_examples, room_schemas
from api.native.ops.access import Looking
from api.native.ops.live import Feed, Permission
from api.native.ops.overview_documents import history_document, overview_document
from api.native.ops.queries import HistoryQuery
from api.native.stopping import on_stop_signal
from api.native.streaming import LiveStream, message
from domain.errors import JSON

OVERVIEW_EVERY_SECONDS = 1.0

OverviewFeed = Feed[dict[str, JSON]]


@asynccontextmanager
async def _feeding(app: FastAPI) -> AsyncIterator[None]:
    feed = OverviewFeed(partial(overview_document, services_of({"app": app})), every_seconds=OVERVIEW_EVERY_SECONDS)
    app.state.overview_feed = feed
    with on_stop_signal(feed.stop):
        yield
    await feed.close()


router = APIRouter(tags=["operators"], lifespan=_feeding)


@router.get(
    "/v1/ops/overview",
    **described(
        summary="See the installation at a glance",
        family=NATIVE,
        query=NoQuery,
        answers={200: Shown(model=room_schemas.Overview, example=room_examples.OVERVIEW)},
        links=leads.to_any_operation("queue/oldest/id"),
    ),
)
async def read_overview(context: Looking) -> Response:
    """Rates of about the last ten seconds, times of the last minute, everything else of now."""
    return json_response(await overview_document(context.services))


@router.get(
    "/v1/ops/overview/history",
    **described(
        summary="See the last hours",
        family=NATIVE,
        query=HistoryQuery,
        answers={200: Shown(model=room_schemas.History, example=room_examples.HISTORY)},
    ),
)
async def read_history(context: Looking, asked: Annotated[HistoryQuery, Depends(query(HistoryQuery))]) -> Response:
    """Kept for a day, whatever is restarted meanwhile. Rates are per second."""
    return json_response(await history_document(context.services, minutes=asked.minutes))


@router.get(
    "/v1/ops/overview/stream",
    **described(
        summary="Watch the installation",
        family=NATIVE,
        query=NoQuery,
        answers={
            200: Shown(
                model=None, description="Server-sent events: an `overview` every second, with the body of the overview."
            )
        },
        stream=room_examples.OVERVIEW_STREAM,
    ),
)
async def stream_overview(context: Looking) -> Response:
    """Ends with the token that it was opened with."""
    permission = Permission(context, "ops:read", "ops:write")
    return overview_stream(context.request.app, permission.lasts)


def overview_stream(app: FastAPI, may_go_on: Callable[[], Awaitable[bool]]) -> LiveStream:
    """The stream for whoever may look for now; `may_go_on` is asked again at every step."""
    return LiveStream(_overviews(cast("OverviewFeed", app.state.overview_feed), may_go_on))


async def _overviews(feed: OverviewFeed, may_go_on: Callable[[], Awaitable[bool]]) -> AsyncGenerator[bytes, None]:
    turn = feed.turn
    with feed.watched():
        while (found := await feed.after(turn)) is not None and await may_go_on():
            turn, document = found
            yield message("overview", to_json(document))
