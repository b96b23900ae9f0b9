"""Operations: any one of them by whatever is known of it, and what became of it.

One rule: what a request says about people stays covered until somebody asks for it, which is recorded.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.answering import ConsoleRoute, not_found
from api.console.filters import Search, asked_of, is_operation_id, search
from api.console.pages import values_of
from api.console.questions import Question, ask
from api.console.rendering import html, redirect, wants_part
from api.console.visiting import Acting, Sent, Signed, Visitor
from api.console.wording import address
from domain.commands import Kind
from domain.outcomes import OperationStatus

router = APIRouter(route_class=ConsoleRoute)

_FIELDS = ("q", "tenant", "user", "group", "license", "status", "kind", "since", "until")
KINDS = sorted(kind.value for kind in Kind)
STATUSES = [status.value for status in OperationStatus]
_OPEN = {status.value for status in OperationStatus if status.is_open}


@router.get("/console/operations")
async def list_operations(visitor: Signed, request: Request) -> Response:
    """Newest first."""
    asked = asked_of(request, *_FIELDS)
    found = await _search(visitor, asked)
    values = values_of(visitor, search=found, kinds=KINDS, statuses=STATUSES)
    return html("_operation_list.html" if wants_part(request) else "operations.html", values)


@router.get("/console/operations/{operation_id}")
async def show_operation(visitor: Signed, request: Request, operation_id: str) -> Response:
    """One operation; while it is open, the page asks for it again."""
    operation = await _operation(visitor, operation_id, request.query_params.get("outcomes_after"))
    values = values_of(visitor, operation=operation, is_open=operation["status"] in _OPEN)
    return html("_operation.html" if wants_part(request) else "operation.html", values)


@router.post("/console/operations/{operation_id}/request")
async def show_request(visitor: Signed, request: Request, _: Sent, operation_id: str) -> Response:
    """The request in full; /v1/ops records who has read it."""
    operation = await _operation(visitor, operation_id)
    found = await visitor.ops.get(f"/v1/ops/operations/{operation['id']}/request")
    values = values_of(visitor, operation=operation, request_body=found["request"])
    return html("_request.html" if wants_part(request) else "request.html", values)


@router.get("/console/operations/{operation_id}/cancel")
async def question(visitor: Signed, operation_id: str) -> Response:
    """Before it is cancelled."""
    operation = await _operation(visitor, operation_id)
    here = address(f"/operations/{operation['id']}")
    return ask(
        visitor,
        Question(
            title="Cancel this operation?",
            text="It is queued and has changed nothing yet. Whoever sent it is answered that it was cancelled.",
            verb="Cancel the operation",
            url=f"{here}/cancel",
            back=here,
            is_final=True,
        ),
    )


@router.post("/console/operations/{operation_id}/cancel")
async def cancel(visitor: Signed, _: Acting, operation_id: str) -> Response:
    """End an operation that is still queued."""
    operation = await _operation(visitor, operation_id)
    await visitor.ops.post(f"/v1/ops/operations/{operation['id']}:cancel")
    return redirect(address(f"/operations/{operation['id']}"))


async def _search(visitor: Visitor, asked: dict[str, str]) -> Search:
    wanted: dict[str, Any] = {name: value for name, value in asked.items() if name != "q"}
    known = asked.get("q", "")
    if known:
        wanted["id" if is_operation_id(known) else "idempotency_key"] = known
    return await search(visitor.ops, "/v1/ops/operations", path="/operations", asked=asked, parameters=wanted)


async def _operation(visitor: Visitor, operation_id: str, outcomes_after: str | None = None) -> Any:
    if not is_operation_id(operation_id):
        raise not_found()
    return await visitor.ops.get(f"/v1/ops/operations/{operation_id}", {"outcomes_after": outcomes_after})
