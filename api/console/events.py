"""Events as they come, across tenants or of one, and from any place of one tenant's log."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import from_json
from starlette.responses import Response

from api.console.answering import ConsoleRoute
from api.console.asking import StreamMessage
from api.console.filters import asked_of
from api.console.live import LiveResponse
from api.console.pages import values_of
from api.console.rendering import html, render
from api.console.visiting import Signed
from api.console.wording import address
from domain.events import EventType

router = APIRouter(route_class=ConsoleRoute)

TYPES = [kind.value for kind in EventType]


@router.get("/console/events")
async def show_events(visitor: Signed, request: Request) -> Response:
    """The newest, and then what comes; with a place in a tenant's log, what stands behind it."""
    asked = _asked(request)
    found = await visitor.ops.get("/v1/ops/events", {"limit": 50, **_wanted(asked)})
    # From a place in a tenant's log on one reads forward, a page at a time; else the newest stand on top.
    events = found["events"] if "after" in asked else found["events"][::-1]
    following = address("/events", **{**asked, "after": found["next"]}) if "after" in asked and events else ""
    # Where the page's stream begins: nothing falls between the two.
    live = "" if "after" in asked else address("/events/stream", **asked, behind=found["last_event_id"])
    values = values_of(visitor, asked=asked, events=events, types=TYPES, following=following, live=live)
    return html("events.html", values)


@router.get("/console/events/stream")
async def stream(visitor: Signed, request: Request) -> Response:
    """Each event as a line of the page, from behind what the page shows, or what came last."""
    wanted = _wanted(_asked(request))
    after = request.headers.get("last-event-id") or request.query_params.get("behind")

    def shown(message: StreamMessage) -> Iterable[StreamMessage]:
        if not message.data:
            yield StreamMessage(id=message.id)
            return
        yield StreamMessage(data=render("_event.html", {"event": from_json(message.data)}), id=message.id)

    return LiveResponse(visitor, lambda: visitor.ops.follow("/v1/ops/events", wanted, after=after), shown)


def _asked(request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = asked_of(request, "tenant", "after")
    asked["types"] = [one for one in request.query_params.getlist("types") if one in TYPES]
    return asked


def _wanted(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "types": ",".join(asked["types"])}
