"""/docs and /openapi.json, open to everybody."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.documents.page import page
from api.http.responses import json_response

router = APIRouter(include_in_schema=False)

# No script, no picture, nothing from elsewhere; the page's own style alone.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return json_response(request.app.openapi())


@router.get("/docs")
async def documentation(request: Request) -> Response:
    """The same for people."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": _POLICY})
