"""Responses as bytes: bodies are plain values, written once by pydantic_core."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from domain.errors import JSON


def json_response(
    body: JSON, status: int = 200, *, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    """A JSON response; what it shows belongs to one caller, so nobody on the way may keep it."""
    return Response(
        to_json(body),
        status_code=status,
        media_type=media_type,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def empty_response(status: int = 200, *, headers: Mapping[str, str] | None = None) -> Response:
    """A response without a body."""
    return Response(b"", status_code=status, headers=dict(headers or {}))
