"""Makes pages and parts of pages from templates.

One rule: whatever a template shows is escaped, and every answer carries the policy that lets nothing but the console's
own files act in the browser.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.console import wording
from api.console.assets import asset_url

FOLDER = Path(__file__).parent / "templates"
HOME = "/console/overview"
THEMES = ("light", "dark")
THEME_COOKIE = "seatline_theme"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # Not no-referrer: the browser would then hide the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in ("number", "seconds", "milliseconds", "percent", "instant", "clock", "ago", "between"):
        environment.filters[name] = getattr(wording, name)
    for name in ("visible", "shortened", "word", "document", "in_line"):
        environment.filters[name] = getattr(wording, name)
    environment.globals |= {
        "asset": asset_url,
        "address": wording.address,
        "things": wording.things,
        "share": wording.share,
        "home": HOME,
    }
    return environment


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template's HTML."""
    return _environment().get_template(template).render(values)


def html(
    template: str, values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The template as a response."""
    return HTMLResponse(render(template, values), status_code=status, headers={**HEADERS, **(headers or {})})


def redirect(address: str) -> Response:
    """Go on by reading that page."""
    return RedirectResponse(address, status_code=303, headers=HEADERS)


def wants_part(request: Request) -> bool:
    """True where a page that is open asks for a part of itself."""
    return request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in request.headers


def theme_of(request: Request) -> str:
    """The theme that the person chose; empty: what their system prefers."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def safe_target(target: str) -> str:
    """The page of the console that an address names; the overview for anything else."""
    parts = urlsplit(target)
    is_ours = not parts.scheme and not parts.netloc and (parts.path == "/console" or parts.path.startswith("/console/"))
    if not is_ours or "\\" in target or any(character < "!" for character in target):
        return HOME
    return target
