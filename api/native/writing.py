"""What all writes of the native API share: keys out of the path, items of a batch, and the answer's media type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from api.errors.api_error import ApiError, invalid_field, invalid_parameter
from api.errors.families import NATIVE
from api.http.batches import model_reader, read_items
from api.http.context import RequestContext
from api.http.json_reading import Document
from api.http.submit import submit
from domain.administration import KEY
from domain.commands import Command
from domain.errors import ErrorCode
from domain.items import InvalidItem

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")

MOST_ITEMS = 1000
_FIRST_REFUSAL = 400


async def write(
    context: RequestContext, command: Command, *, form: str, body: Any = None, dry_run: bool = False
) -> Response:
    """Submit the command; a refusal is answered as problem details (RFC 9457)."""
    response = await submit(context, command, form=form, body=body, dry_run=dry_run)
    if response.status_code >= _FIRST_REFUSAL:
        response.headers["Content-Type"] = NATIVE.media_type
    return response


def own_key(key: str, repeated: str | None) -> str:
    """The key that the path gives to what is put; a body that repeats it must agree.

    Raises:
        ApiError: INVALID_PARAMETER, it is no key; VALIDATION_FAILED, the body names another.
    """
    if not KEY.fullmatch(key):
        raise invalid_parameter("key", "wrong_form")
    if repeated not in {None, key}:
        raise invalid_field("key", "invalid")
    return key


def possible_key(key: str, code: ErrorCode) -> str:
    """The key, where something can be stored under it.

    Raises:
        ApiError: `code`; what is no key is answered as one that never existed.
    """
    if not KEY.fullmatch(key):
        raise ApiError(code)
    return key


def batch(
    document: Document,
    model: type[Model],
    make: Callable[[Model], Item],
    sent: Callable[[Any], Mapping[str, str]],
    *,
    beside: Sequence[str] = (),
) -> tuple[Item | InvalidItem, ...]:
    """The items of a batch, each read for itself; the fields `beside` them are the caller's to read.

    Raises:
        ApiError: VALIDATION_FAILED, BATCH_EMPTY or BATCH_TOO_LARGE, for the batch as a whole.
    """
    read = model_reader(model, make, sent)
    return read_items(document, limit=MOST_ITEMS, read=read, sent=sent, beside=beside)
