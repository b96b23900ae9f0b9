"""The audit trail: who did what, when."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.answering import ConsoleRoute
from api.console.filters import asked_of, search
from api.console.pages import values_of
from api.console.rendering import html, wants_part
from api.console.visiting import Signed
from domain.audit import Action

router = APIRouter(route_class=ConsoleRoute)

ACTIONS = [action.value for action in Action]


@router.get("/console/audit")
async def list_audit(visitor: Signed, request: Request) -> Response:
    """Newest first."""
    asked = asked_of(request, "actor", "action", "tenant", "since")
    found = await search(visitor.ops, "/v1/ops/audit", path="/audit", asked=asked)
    values = values_of(visitor, search=found, actions=ACTIONS)
    return html("_audit_list.html" if wants_part(request) else "audit.html", values)
