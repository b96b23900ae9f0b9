"""Dead letters: what failed, grouped by its error, and how it is put right.

One rule: what is about to be done is counted and shown first, and refused when it has changed meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.answering import ConsoleRoute, not_found
from api.console.filters import asked_of, is_operation_id, search
from api.console.pages import values_of
from api.console.questions import Question, ask
from api.console.rendering import html, redirect, wants_part
from api.console.visiting import Acting, Form, Signed, field
from api.console.wording import address, filled, things
from domain.commands import Kind

router = APIRouter(route_class=ConsoleRoute)

FILTER = ("tenant", "fingerprint", "code", "kind", "since", "until")
KINDS = sorted(kind.value for kind in Kind)
# How many operations of one action its page follows; the others are found by the action's key.
_MOST_FOLLOWED = 20
_ACTIONS = ("redrive", "discard")


@router.get("/console/dead-letters")
async def list_groups(visitor: Signed, request: Request) -> Response:
    """By error, the most frequent first."""
    asked = asked_of(request, "tenant")
    found = await search(visitor.ops, "/v1/ops/dead-letters/groups", path="/dead-letters", asked=asked)
    values = values_of(visitor, search=found)
    return html("_dead_letter_groups.html" if wants_part(request) else "dead_letters.html", values)


@router.get("/console/dead-letters/list")
async def list_dead_letters(visitor: Signed, request: Request) -> Response:
    """One by one, of one error or of any."""
    asked = asked_of(request, *FILTER)
    found = await search(visitor.ops, "/v1/ops/dead-letters", path="/dead-letters/list", asked=asked)
    narrowed = {name: asked[name] for name in FILTER if name in asked}
    values = values_of(visitor, search=found, narrowed=narrowed, kinds=KINDS)
    return html("_dead_letter_list.html" if wants_part(request) else "dead_letter_list.html", values)


@router.get("/console/dead-letters/actions")
async def follow_action(visitor: Signed, request: Request) -> Response:
    """What became of an action: the operations that carry it out, and how far they are."""
    asked = request.query_params
    ids = [one for one in asked.getlist("operation") if is_operation_id(one)][:_MOST_FOLLOWED]
    operations = [await visitor.ops.get(f"/v1/ops/operations/{one}") for one in ids]
    values = values_of(
        visitor,
        operations=operations,
        matched=int(asked.get("matched", "0")) if asked.get("matched", "").isdecimal() else 0,
        key=asked.get("key", ""),
        is_discard=asked.get("action") == "discard",
        is_over=all(one["status"] not in {"queued", "running"} for one in operations),
    )
    return html("_action.html" if wants_part(request) else "action.html", values)


@router.get("/console/dead-letters/{action}")
async def question(visitor: Signed, request: Request, action: str) -> Response:
    """Before anything is done: how many it concerns."""
    if action not in _ACTIONS:
        raise not_found()
    chosen = _chosen(request.query_params.getlist("id"), request.query_params)
    counted = await visitor.ops.post(f"/v1/ops/dead-letters:{action}", _body(chosen, action), parameters=_DRY)
    return ask(visitor, _question(action, chosen, counted["matched"]))


@router.post("/console/dead-letters/{action}")
async def act(visitor: Signed, form: Acting, action: str) -> Response:
    """Redrive or discard what the question has counted."""
    if action not in _ACTIONS:
        raise not_found()
    chosen = _chosen(form.get("id", []), {name: field(form, name) for name in FILTER})
    key = field(form, "key") or uuid4().hex
    done = await visitor.ops.post(f"/v1/ops/dead-letters:{action}", _body(chosen, action, form), key=key)
    operations = [one["id"] for one in done["operations"]]
    return redirect(
        address(
            "/dead-letters/actions",
            action=action,
            matched=done["matched"],
            operation=operations[:_MOST_FOLLOWED],
            key=key if len(operations) > _MOST_FOLLOWED else "",
        )
    )


_DRY: Mapping[str, str] = {"dry_run": "true"}


def _chosen(ids: Sequence[str], fields: Mapping[str, str]) -> dict[str, Any]:
    """What an action concerns, as /v1/ops takes it: single ones by their ids, or all that match."""
    if ids:
        return {"ids": list(ids)}
    return {"filter": filled({name: fields.get(name, "").strip() for name in FILTER})}


def _body(chosen: Mapping[str, Any], action: str, form: Form | None = None) -> dict[str, Any]:
    body = dict(chosen)
    if form is not None and "filter" in chosen and field(form, "expected").isdecimal():
        body["expected"] = int(field(form, "expected"))
    if action == "discard":
        body["reason"] = "counting" if form is None else field(form, "reason")
    return body


def _question(action: str, chosen: Mapping[str, Any], matched: int) -> Question:
    ids: Sequence[str] = chosen.get("ids", ())
    narrowed: Mapping[str, str] = chosen.get("filter", {})
    fields = [("id", one) for one in ids] or list(narrowed.items())
    verb = action.capitalize()
    letters = things(matched, "dead letter")
    return Question(
        title=f"{verb} {letters}?" if matched else "Nothing to do",
        text=_explained(action, narrowed, matched),
        verb=f"{verb} {letters}",
        url=address(f"/dead-letters/{action}"),
        back=address(f"/operations/{ids[0]}") if len(ids) == 1 else address("/dead-letters/list", **narrowed),
        fields=[*fields, ("expected", str(matched)), ("key", uuid4().hex)],
        wants_reason=action == "discard" and matched > 0,
        is_final=action == "discard",
        can_be_done=matched > 0,
    )


def _explained(action: str, narrowed: Mapping[str, str], matched: int) -> str:
    if not matched:
        return "No dead letter matches any more: somebody may have put them right meanwhile."
    which = ", ".join(f"{name} {value}" for name, value in narrowed.items())
    begin = f"All that match {which}. " if which else ""
    if action == "redrive":
        return f"{begin}They are queued again under the same ids, and applied after what their tenants have queued now."
    return (
        f"{begin}They stay readable as failed operations until the retention removes them; nobody redrives them again."
    )
