"""Cursors: the place in a list, as text that callers pass back and do not read.

One rule: what was not made here is refused.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from api.errors.api_error import ApiError, invalid_parameter
from infra.postgres.reads.pages import Place

TextPlace = tuple[str, ...]

# Numbers, tenant keys and UUIDs are written in these; a dot separates them.
_FORM = re.compile(r"[0-9a-z-]{1,63}(?:\.[0-9a-z-]{1,63})*")
_LARGEST = 2**63 - 1
_LONGEST = 200


def encode_cursor(place: Place | None) -> str | None:
    """The cursor of a place of numbers; None behind the last page."""
    return encode_text_cursor(None if place is None else tuple(map(str, place)))


def decode_cursor(cursor: str | None, *, first: Place) -> Place:
    """The place of a cursor of this list; without a cursor, the first.

    Raises:
        ApiError: INVALID_PARAMETER; it is no cursor of such a list.
    """
    if cursor is None:
        return first
    texts = decode_text_cursor(cursor, first=tuple(map(str, first)))
    if not all(text.isdigit() and int(text) <= _LARGEST for text in texts):
        raise no_cursor()
    return tuple(map(int, texts))


def encode_text_cursor(place: TextPlace | None) -> str | None:
    """The cursor of a place of words; None behind the last page."""
    return None if place is None else urlsafe_b64encode(".".join(place).encode()).rstrip(b"=").decode()


def decode_text_cursor(cursor: str | None, *, first: TextPlace) -> TextPlace:
    """As `decode_cursor`, for a place of words."""
    if cursor is None:
        return first
    text = _text(cursor)
    place = tuple(text.split("."))
    if not _FORM.fullmatch(text) or len(place) != len(first) or encode_text_cursor(place) != cursor:
        raise no_cursor()
    return place


def no_cursor() -> ApiError:
    """The refusal of what is no cursor of the list."""
    return invalid_parameter("cursor", "wrong_form")


def _text(cursor: str) -> str:
    if len(cursor) > _LONGEST:
        return ""
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
