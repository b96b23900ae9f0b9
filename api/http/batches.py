"""Reads the items of a batch, each for itself: a malformed one becomes an InvalidItem in its place.

One rule: only what concerns the batch as a whole (its envelope, its size) refuses it as a whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.errors.api_error import ApiError, FieldProblem, invalid_field
from api.errors.problems import dotted, problems_of, reason_of
from api.http.json_reading import Document, Flaw
from domain.errors import ErrorCode
from domain.items import InvalidItem

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)

Sent = Callable[[Any], Mapping[str, str]]
"""Reads the identifying strings out of a malformed item, for the answer to echo."""


def batch_items(
    document: Document, *, limit: int, beside: Sequence[str] = ()
) -> tuple[list[Any], Mapping[int, FieldProblem]]:
    """The raw items of `{"items": [...]}`, and the flaws found by item; `beside` them may stand these fields.

    Raises:
        ApiError: VALIDATION_FAILED for the envelope, BATCH_EMPTY or BATCH_TOO_LARGE for its size.
    """
    envelope = document.value
    of_items = _flaws_by_item(document.flaws)
    if not isinstance(envelope, dict):
        raise invalid_field("", "not_object")
    unknown = [name for name in envelope if name != "items" and name not in beside]
    if unknown:
        raise ApiError(
            ErrorCode.VALIDATION_FAILED,
            problems=[FieldProblem(field=dotted([name]), problem="unknown_field") for name in unknown],
        )
    if "items" not in envelope:
        raise invalid_field("items", "required")
    items = envelope["items"]
    if not isinstance(items, list):
        raise invalid_field("items", "not_list")
    if not items:
        raise ApiError(ErrorCode.BATCH_EMPTY)
    if len(items) > limit:
        raise ApiError(ErrorCode.BATCH_TOO_LARGE, details={"limit": limit})
    return items, of_items


def read_items(
    document: Document,
    *,
    limit: int,
    read: Callable[[Any], Item | InvalidItem],
    sent: Sent,
    beside: Sequence[str] = (),
) -> tuple[Item | InvalidItem, ...]:
    """The items of a batch, in order; `read` makes an item, or an InvalidItem, of one raw value.

    Raises:
        ApiError: as `batch_items`.
    """
    items, flaws = batch_items(document, limit=limit, beside=beside)
    return tuple(
        invalid_item(flaws[place], sent(raw)) if place in flaws else read(raw) for place, raw in enumerate(items)
    )


def model_reader(model: type[Model], make: Callable[[Model], Item], sent: Sent) -> Callable[[Any], Item | InvalidItem]:
    """A `read` for `read_items` that validates by a Pydantic model."""
    # The model's own validator: model_validate does the same, and takes half as long again around it.
    validate = model.__pydantic_validator__.validate_python

    def read(raw: Any) -> Item | InvalidItem:
        try:
            return make(validate(raw))
        except ValidationError as error:
            return invalid_item(problems_of(error)[0], sent(raw))

    return read


def invalid_item(problem: FieldProblem, sent: Mapping[str, str]) -> InvalidItem:
    """The item in its place, with the word for what is wrong; the answer finds the caller's language for it."""
    return InvalidItem(field=problem.field, reason=reason_of(problem), sent=sent)


def _flaws_by_item(flaws: Sequence[Flaw]) -> dict[int, FieldProblem]:
    """The first flaw of each item; a flaw outside the items refuses the whole."""
    by_item: dict[int, FieldProblem] = {}
    outside = []
    for flaw in flaws:
        match flaw.path:
            case ("items", int(place), *_):
                by_item.setdefault(place, flaw.as_problem(below=2))
            case _:
                outside.append(flaw.as_problem())
    if outside:
        raise ApiError(ErrorCode.VALIDATION_FAILED, problems=outside)
    return by_item
