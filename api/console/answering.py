"""Turns what goes wrong on a page into a page, or into a notice on the page that is open.

One rule: nobody sees JSON at /console, and nothing of an exception's own text goes out.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from typing_extensions import override

from api.console.asking import RefusedError
from api.console.rendering import HEADERS, html, redirect, theme_of, wants_part
from api.console.visiting import COOKIE, NotSignedInError
from api.errors.families import NATIVE
from api.http.failures import refusal_of

SIGN_IN = "/console/sign-in"
Handler = Callable[[Request], Awaitable[Response]]


class ConsoleRoute(APIRoute):
    """A route whose failures are answered in HTML."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedInError:
                return _to_sign_in(request)
            except RefusedError as refusal:
                return refused(request, refusal)
            except Exception as error:  # noqa: BLE001 - the one place that knows what each of them means to a caller
                return refused(request, _refusal(error))

        return answer


def refused(request: Request, refusal: RefusedError) -> Response:
    """A refusal as a page; on a page that is open, as a notice that leaves the rest as it is."""
    values = {"refusal": refusal, "theme": theme_of(request), "request_id": request.scope["request_id"]}
    if wants_part(request):
        headers = {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"}
        return html("_refusal.html", values, refusal.status, headers)
    return html("refused.html", values, refusal.status)


def _refusal(error: Exception) -> RefusedError:
    refusal = refusal_of(error)
    report = NATIVE.report(refusal.code, "en", problems=refusal.problems, details=refusal.details)
    return RefusedError(report.status, {"code": refusal.code.value, "title": report.title, "detail": report.message})


def _to_sign_in(request: Request) -> Response:
    if wants_part(request):
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": SIGN_IN})
    if request.method != "GET":
        return redirect(SIGN_IN)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    answer = redirect(f"{SIGN_IN}?next={quote(target, safe='')}")
    if COOKIE in request.cookies:
        answer.delete_cookie(COOKIE, path="/console")
    return answer


def not_found() -> HTTPException:
    """The refusal of an address that means nothing."""
    return HTTPException(404)
