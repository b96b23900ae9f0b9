"""Reads request bodies: JSON by content type, and one model over it.

One rule: a door sees a body only as a model it declared, or as a Document whose flaws it must look at.
"""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from api.errors.api_error import ApiError, invalid_field
from api.errors.problems import problems_of
from api.http.json_reading import Document, read_json
from domain.errors import ErrorCode

Body = TypeVar("Body", bound="BodyModel")


class BodyModel(BaseModel):
    """A request body: no field is unknown, no value is converted, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


async def json_body(request: Request) -> Document:
    """The body as JSON. A body without a content type is taken for JSON.

    Raises:
        ApiError: UNSUPPORTED_MEDIA_TYPE, MALFORMED_JSON, or VALIDATION_FAILED where there is no body.
    """
    raw = await request.body()
    if not _is_json(request.headers.get("content-type")):
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    if not raw.strip():
        raise invalid_field("", "required")
    return read_json(raw)


async def no_body(request: Request) -> None:
    """Refuse a body that would be dropped; an empty object says nothing and passes.

    Raises:
        ApiError: VALIDATION_FAILED naming what was sent.
    """
    raw = await request.body()
    if raw.strip():
        read_model(BodyModel, read_json(raw))


def read_model(model: type[Body], document: Document) -> Body:
    """The document as the model.

    Raises:
        ApiError: VALIDATION_FAILED naming every field at fault.
    """
    document.require_flawless()
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise ApiError(ErrorCode.VALIDATION_FAILED, problems=problems_of(error)) from None


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return True
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [
        value.strip('"') for name, _, value in (part.partition("=") for part in parameters) if name == "charset"
    ]
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    return is_json and all(charset in {"utf-8", "utf8"} for charset in charsets)
