"""Which language a caller is answered in: RFC 4647 lookup (de-CH, then de), then English.

One rule: a header is a wish; what cannot be read in it is passed over, never refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

SPOKEN = ("en", "de", "fr")
"""The languages of messages; the first is what everybody falls back to. Titles may be stored in any language."""

_TAG = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
_MOST_TAGS = 8


@dataclass(frozen=True, slots=True)
class Languages:
    """What a caller wants to read, best first, in lower case."""

    tags: tuple[str, ...] = ()

    @classmethod
    def accepted(cls, header: str | None) -> "Languages":
        """The languages of an Accept-Language header, by quality; those with quality 0 and `*` are left out."""
        wishes = [_wish(part) for part in (header or "").split(",")[:_MOST_TAGS]]
        ranked = sorted((wish for wish in wishes if wish and wish[1] > 0), key=lambda wish: -wish[1])
        return cls(tuple(tag for tag, _ in ranked))

    @classmethod
    def stored(cls, text: str) -> "Languages":
        """The languages that `text` wrote."""
        return cls(tuple(tag for tag in text.split(",") if tag))

    @property
    def text(self) -> str:
        """As `stored` reads it."""
        return ",".join(self.tags)

    @property
    def spoken(self) -> str:
        """The language of messages to this caller."""
        return next(tag for tag in self.fallbacks if tag in SPOKEN)

    def choose(self, texts: Mapping[str, str]) -> str | None:
        """The text of the best language there is; None only where there is no text at all."""
        if not texts:
            return None
        by_tag = {tag.lower(): text for tag, text in texts.items()}
        chosen = next((tag for tag in self.fallbacks if tag in by_tag), None)
        return by_tag[chosen if chosen is not None else min(by_tag)]

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Every tag to try, best first: each wish, then its shorter forms; at last English."""
        wishes = [tag.split("-") for tag in self.tags]
        tried = ["-".join(parts[:length]) for parts in wishes for length in range(len(parts), 0, -1)]
        return tuple(dict.fromkeys([*tried, SPOKEN[0]]))


def _wish(part: str) -> tuple[str, float] | None:
    tag, *parameters = (piece.strip() for piece in part.split(";"))
    if not _TAG.fullmatch(tag):
        return None
    quality = 1.0
    for parameter in parameters:
        match = _QUALITY.fullmatch(parameter)
        if match is None:
            return None
        quality = float(match[1])
    return tag.lower(), quality
