"""Messages of the broker that nobody can read: what they are, and getting rid of them."""

from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from api.console.answering import ConsoleRoute
from api.console.pages import values_of
from api.console.questions import Question, ask
from api.console.rendering import html, redirect
from api.console.visiting import Acting, Signed, field
from api.console.wording import address, things

router = APIRouter(route_class=ConsoleRoute)

_HERE = "/dead-letters/unreadable"


@router.get("/console/dead-letters/unreadable")
async def list_unreadable(visitor: Signed) -> Response:
    """The oldest first; looking takes none away."""
    found = await visitor.ops.get("/v1/ops/unreadable")
    return html("unreadable.html", values_of(visitor, **found))


@router.get("/console/dead-letters/unreadable/discard")
async def question(visitor: Signed) -> Response:
    """Before they are gone: how many."""
    found = await visitor.ops.get("/v1/ops/unreadable")
    total = found["total"] or len(found["items"])
    messages = things(total, "message")
    return ask(
        visitor,
        Question(
            title=f"Discard {messages}?",
            text="They are removed for good. No accepted command is lost with them: a message only wakes workers up.",
            verb=f"Discard {messages}",
            url=address(f"{_HERE}/discard"),
            back=address(_HERE),
            fields=[("count", str(total)), ("key", uuid4().hex)],
            wants_reason=total > 0,
            is_final=True,
            can_be_done=total > 0,
        ),
    )


@router.post("/console/dead-letters/unreadable/discard")
async def discard(visitor: Signed, form: Acting) -> Response:
    """Remove as many as were shown."""
    count = field(form, "count")
    body = {"reason": field(form, "reason"), "count": int(count) if count.isdecimal() else 0}
    await visitor.ops.post("/v1/ops/unreadable:discard", body)
    return redirect(address(_HERE))
