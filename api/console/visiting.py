"""Who looks at the console: the session behind a request's cookie, and whether a form was sent from our own page.

One rule: every page names what it needs (to be signed in, to send a form, to act) where it is declared.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request

from api.authentication import Caller
from api.console.asking import Ops, RefusedError
from api.console.rendering import theme_of
from api.http.services import Services, services_of
from domain.scopes import granted
from infra.postgres.console_sessions import find_session

COOKIE = "seatline_console"
_MOST_FIELDS = 1100  # a thousand ids, and what is said about them
_FORM = "application/x-www-form-urlencoded"
Form = Mapping[str, list[str]]


class NotSignedInError(Exception):
    """There is no session, or none that lives."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A person who is signed in; `secret` is their session's."""

    request: Request
    caller: Caller
    secret: str

    @property
    def services(self) -> Services:
        """The parts of the process."""
        return services_of(self.request.scope)

    @cached_property
    def ops(self) -> Ops:
        """/v1/ops, asked as this person."""
        return Ops(self.request, self.caller)

    @property
    def may_act(self) -> bool:
        """Whether the person may change anything."""
        return self.caller.may("ops:write")

    @property
    def form_token(self) -> str:
        """What a form of this session carries; nobody who lacks the cookie can know it."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()

    def values(self, **more: Any) -> dict[str, Any]:
        """What every page of a signed-in person shows, and more."""
        return {"visitor": self, "theme": theme_of(self.request), "path": self.request.url.path, **more}


async def visitor_of(request: Request) -> Visitor:
    """A dependency: the person behind the request.

    Raises:
        NotSignedInError: nobody is.
        RefusedError: the token lacks `ops:read`.
    """
    secret = request.cookies.get(COOKIE, "")
    services = services_of(request.scope)
    session = await find_session(services.database, secret, idle=services.settings.console_idle) if secret else None
    if session is None:
        raise NotSignedInError
    caller = Caller(
        tenant_id=None,
        tenant_key=None,
        org=None,
        scopes=granted(session.scopes, operator=True),
        roles=None,
        token_id=str(session.token_id),
        token_name=session.name,
        is_operator=True,
    )
    visitor = Visitor(request=request, caller=caller, secret=secret)
    if not caller.may("ops:read"):
        raise lacking("ops:read")
    return visitor


Signed = Annotated[Visitor, Depends(visitor_of)]


async def form_of(request: Request) -> Form:
    """The fields of a form that was sent from our own page.

    Raises:
        RefusedError: it was sent from elsewhere, or is no form.
    """
    if not _is_from_here(request):
        raise foreign()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = (await request.body()).decode()
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise _no_form() from None
    if media_type != _FORM or any("\0" in value for values in fields.values() for value in values):
        raise _no_form()
    return fields


async def sent_form(visitor: Signed, form: Annotated[Form, Depends(form_of)]) -> Form:
    """A dependency: the form, once it has shown this session's token."""
    if not hmac.compare_digest(field(form, "form_token").encode(), visitor.form_token.encode()):
        raise foreign()
    return form


async def action_form(visitor: Signed, form: Annotated[Form, Depends(sent_form)]) -> Form:
    """A dependency: the form of a person who may act."""
    if not visitor.may_act:
        raise lacking("ops:write")
    return form


Sent = Annotated[Form, Depends(sent_form)]
Acting = Annotated[Form, Depends(action_form)]


def field(form: Form, name: str) -> str:
    """A field's value without the spaces around it; empty where it was not sent."""
    return form.get(name, [""])[0].strip()


def lacking(scope: str) -> RefusedError:
    """The refusal of a person whose token does not go so far."""
    problem = {"code": "FORBIDDEN", "title": "You may not do this", "detail": f"Your token lacks the scope {scope}."}
    return RefusedError(403, problem)


def foreign() -> RefusedError:
    """The refusal of a form that our own page has not sent, or has sent in another session."""
    detail = "It was not sent from a page of this session. Nothing has changed: open the page again, and repeat it."
    return RefusedError(403, {"code": "FOREIGN_FORM", "title": "The form is no longer valid", "detail": detail})


def _no_form() -> RefusedError:
    return RefusedError(400, {"code": "NO_FORM", "title": "The form cannot be read", "detail": "Nothing has changed."})


def _is_from_here(request: Request) -> bool:
    """What the browser says of the page that sent the form; SameSite and the form's token stand behind it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
