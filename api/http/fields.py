"""The forms that fields of bodies must have in every door; each refusal is a word of the message catalogues.

One rule: what passes here can be stored, indexed and shown as it was sent.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

KEY_PATTERN = r"^[A-Za-z0-9._@+-]{1,128}$"
LONGEST_NAME = 255
LONGEST_TEXT = 4000
LONGEST_EMAIL = 254  # RFC 5321: a path of 256 octets with its angle brackets
LARGEST_ATTRIBUTES = 16 * 1024
DEEPEST_ATTRIBUTES = 8
MOST_LANGUAGES = 50
MOST_SEATS = 2**31 - 1

_EMAIL = re.compile(r"""[^\s@"(),:;<>\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?""")
# Of what Python reads as ISO 8601 (weeks, no seconds, no hyphens) the published schemas know this much: a date-time.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("wrong_form", "blank")
    return text


def _address(text: str) -> str:
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise PydanticCustomError("not_email", "no address")
    return text


def _instant(value: object) -> object:
    """RFC 3339 with an offset; without one nobody can tell which instant was meant."""
    try:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise PydanticCustomError("not_instant", "no instant")
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("not_instant", "no instant") from None


def _languages(texts: dict[str, str]) -> dict[str, str]:
    if not all(_LANGUAGE.fullmatch(tag) for tag in texts):
        raise PydanticCustomError("not_language", "no language tag")
    if len({tag.lower() for tag in texts}) < len(texts):
        raise PydanticCustomError("twice", "a language in two spellings")
    return texts


def _small_enough(attributes: dict[str, Any]) -> dict[str, Any]:
    if _is_deeper(attributes, DEEPEST_ATTRIBUTES):
        raise PydanticCustomError("too_deep", "too deep", {"limit": DEEPEST_ATTRIBUTES})
    if len(json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()) > LARGEST_ATTRIBUTES:
        raise PydanticCustomError("too_many_bytes", "too large", {"limit": LARGEST_ATTRIBUTES})
    return attributes


def _is_deeper(value: Any, levels: int) -> bool:
    """More than so many lists and objects inside each other; what is deeper is not walked."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in children)


Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_not_blank)]
OptionalName = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
# How a batch of assignments names what it is about: whatever no key could be is simply unknown.
Reference = Annotated[str, StringConstraints(min_length=1)]
Email = Annotated[str, StringConstraints(max_length=LONGEST_EMAIL), AfterValidator(_address)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Capacity = Annotated[int, Field(ge=0, le=MOST_SEATS)]
Attributes = Annotated[dict[str, Any], AfterValidator(_small_enough)]
PermissionScope = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
Titles = Annotated[dict[str, Name], Field(min_length=1, max_length=MOST_LANGUAGES), AfterValidator(_languages)]
Descriptions = Annotated[
    dict[str, Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]],
    Field(max_length=MOST_LANGUAGES),
    AfterValidator(_languages),
]
