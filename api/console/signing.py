"""Signing in with an operator token, signing out, and the choice of light or dark.

One rule: the token is looked at once and kept nowhere; from then on the browser holds a secret that is good for nothing
but the console, and that ends with the token.
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.authentication import Caller, TooManyBadCredentialsError, UnauthenticatedError
from api.console.answering import SIGN_IN, ConsoleRoute
from api.console.rendering import HOME, THEME_COOKIE, THEMES, html, redirect, safe_target, theme_of
from api.console.visiting import COOKIE, Form, NotSignedInError, Sent, Signed, field, form_of, visitor_of
from api.http.context import client_of
from api.http.services import services_of
from infra.postgres.console_sessions import begin_session, end_session

router = APIRouter(route_class=ConsoleRoute)

_A_YEAR = timedelta(days=365)


@router.get("/console")
@router.get("/console/")
async def home(_: Signed) -> Response:
    """Where everybody begins."""
    return redirect(HOME)


@router.get(SIGN_IN)
async def sign_in_page(request: Request, target: str = HOME) -> Response:
    """The form; who is signed in already goes on."""
    target = safe_target(request.query_params.get("next", target))
    try:
        await visitor_of(request)
    except NotSignedInError:
        return _form(request, target)
    return redirect(target)


@router.post(SIGN_IN)
async def sign_in(request: Request, form: Annotated[Form, Depends(form_of)]) -> Response:
    """Begin a session; a token that is bad counts as bad credentials of this address."""
    target = safe_target(field(form, "next"))
    services = services_of(request.scope)
    try:
        caller = await services.authenticator.authenticate(f"Bearer {field(form, 'token')}", client_of(request))
    except UnauthenticatedError:
        return _form(request, target, "This token is not known, has expired or was revoked.", 401)
    except TooManyBadCredentialsError as error:
        wait = f"Too many bad tokens were tried from your address. Try again in {error.retry_after} seconds."
        return _form(request, target, wait, 429, {"Retry-After": str(error.retry_after)})
    if not _is_welcome(caller) or caller.token_id is None:
        return _form(request, target, "An operator token with the scope ops:read or ops:write is needed.", 403)
    settings = services.settings
    secret = await begin_session(
        services.database,
        token_id=UUID(caller.token_id),
        name=caller.token_name,
        lifetime=settings.console_session,
        idle=settings.console_idle,
    )
    answer = redirect(target)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(settings.console_session.total_seconds()),
        path="/console",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/console/sign-out")
async def sign_out(visitor: Signed, _: Sent) -> Response:
    """End the session, here and now."""
    await end_session(visitor.services.database, visitor.secret, name=visitor.caller.token_name)
    answer = redirect(SIGN_IN)
    answer.delete_cookie(COOKIE, path="/console", httponly=True, samesite="strict")
    return answer


@router.post("/console/theme")
async def choose_theme(request: Request, _: Signed, form: Sent) -> Response:
    """Remember light or dark in this browser; anything else goes by the system again."""
    chosen = field(form, "theme")
    answer = redirect(safe_target(field(form, "next")))
    if chosen in THEMES:
        answer.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=int(_A_YEAR.total_seconds()),
            path="/console",
            secure=_is_secure(request),
            samesite="strict",
        )
    else:
        answer.delete_cookie(THEME_COOKIE, path="/console")
    return answer


def _is_welcome(caller: Caller) -> bool:
    return caller.is_operator and caller.may("ops:read")


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https" or services_of(request.scope).settings.console_over_https


def _form(
    request: Request, target: str, problem: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    values = {"next": target, "problem": problem, "theme": theme_of(request)}
    return html("sign_in.html", values, status, headers)
