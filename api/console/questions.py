"""What a person is asked before something is done: how many things it concerns, and whether it can be taken back.

One rule: nothing that cannot be taken back is done by one click.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from api.console.pages import values_of
from api.console.rendering import html, wants_part
from api.console.visiting import Visitor, lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A form with one button. `url` takes it, with these hidden fields; `back` is where no leads."""

    title: str
    text: str
    verb: str
    url: str
    back: str
    fields: Sequence[tuple[str, str]] = ()
    wants_reason: bool = False
    is_final: bool = False
    can_be_done: bool = True


def ask(visitor: Visitor, question: Question) -> Response:
    """The question as a page, or as a part of the page that is open.

    Raises:
        RefusedError: the person may only look.
    """
    if not visitor.may_act:
        raise lacking("ops:write")
    template = "_question.html" if wants_part(visitor.request) else "question.html"
    return html(template, values_of(visitor, question=question))
