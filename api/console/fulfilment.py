"""Fulfilment: which groups have their seats, how full the pools are, and who waits for what."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.answering import ConsoleRoute
from api.console.filters import asked_of, search
from api.console.pages import values_of
from api.console.rendering import html, wants_part
from api.console.visiting import Signed, Visitor

router = APIRouter(route_class=ConsoleRoute)

GROUP_STATES = ("running", "waiting", "fulfilled")


@router.get("/console/fulfilment")
async def groups(visitor: Signed, request: Request) -> Response:
    """What groups were given, and how many of their members have it."""
    return await _page(visitor, request, "groups", "tenant", "state")


@router.get("/console/fulfilment/licenses")
async def licenses(visitor: Signed, request: Request) -> Response:
    """How full each licence is."""
    return await _page(visitor, request, "licenses", "tenant")


@router.get("/console/fulfilment/waiting")
async def waiting(visitor: Signed, request: Request) -> Response:
    """Who waits, in the order in which seats will be given."""
    return await _page(visitor, request, "waiting", "tenant", "license")


async def _page(visitor: Visitor, request: Request, tab: str, *fields: str) -> Response:
    asked = asked_of(request, *fields)
    path = "/fulfilment" if tab == "groups" else f"/fulfilment/{tab}"
    found = await search(visitor.ops, f"/v1/ops/fulfilment/{tab}", path=path, asked=asked)
    values = values_of(visitor, search=found, tab=tab, fields=fields, states=GROUP_STATES)
    return html(f"_fulfilment_{tab}.html" if wants_part(request) else "fulfilment.html", values)
