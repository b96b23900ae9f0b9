"""The overview: how the service is right now, kept up to date while somebody looks, and the last hour."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from pydantic_core import from_json, to_json
from starlette.responses import Response

from api.console.answering import ConsoleRoute
from api.console.asking import StreamMessage
from api.console.chart_data import CHARTS, history_document, live_point, summaries
from api.console.live import LiveResponse
from api.console.pages import values_of
from api.console.rendering import HEADERS, html, render
from api.console.verdicts import lateness, level_of, remarks
from api.console.visiting import Signed, Visitor
from api.http.responses import json_response

router = APIRouter(route_class=ConsoleRoute)

_HISTORY = {"minutes": 60}


@router.get("/console/overview")
async def overview(visitor: Signed) -> Response:
    """The page as it is now; from here on the stream keeps it up to date."""
    now = await visitor.ops.get("/v1/ops/overview")
    history = await visitor.ops.get("/v1/ops/overview/history", _HISTORY)
    workers = await visitor.ops.get("/v1/ops/workers")
    values = values_of(
        visitor, **_live(now), workers=workers["items"], charts=CHARTS, summaries=summaries(history["points"])
    )
    return html("overview.html", values)


@router.get("/console/overview/workers")
async def workers(visitor: Signed) -> Response:
    """The workers again, for the page that is open."""
    found = await visitor.ops.get("/v1/ops/workers")
    return html("_workers.html", values_of(visitor, workers=found["items"]))


@router.get("/console/overview/history")
async def history(visitor: Signed) -> Response:
    """The last hour, for the page's charts."""
    found = await visitor.ops.get("/v1/ops/overview/history", _HISTORY)
    return json_response(history_document(found), headers=HEADERS)


@router.get("/console/overview/stream")
async def stream(visitor: Signed) -> Response:
    """The overview's figures every second: as a part of the page, and as a point for the charts."""

    def shown(message: StreamMessage) -> Iterable[StreamMessage]:
        return _shown(visitor, message)

    return LiveResponse(visitor, lambda: visitor.ops.follow("/v1/ops/overview/stream"), shown)


def _shown(visitor: Visitor, message: StreamMessage) -> Iterable[StreamMessage]:
    if message.event != "overview":
        yield StreamMessage()
        return
    now = from_json(message.data)
    yield StreamMessage(data=render("_overview_now.html", values_of(visitor, **_live(now))))
    yield StreamMessage(event="point", data=to_json(live_point(now)).decode())


def _live(now: Any) -> dict[str, Any]:
    found = remarks(now)
    return {"now": now, "remarks": found, "level": level_of(found), "lateness": lateness}
