"""Reads JSON strictly: what could harm further down is found here, with the path at which it stands.

One rule: a flaw is reported, not raised, so that a batch can refuse the one item and keep its neighbours.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from api.errors.api_error import ApiError, FieldProblem, invalid_field
from api.errors.problems import dotted
from domain.errors import ErrorCode

DEEPEST = 64
"""How many levels of lists and objects a document may have."""

MOST_FLAWS = 2000
"""With more than so many, a document is refused as a whole: nobody meant it."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something at `path` that is no value to us; `problem` is a word of the message catalogues."""

    path: Path
    problem: str
    limit: int | None = None

    def as_problem(self, *, below: int = 0) -> FieldProblem:
        """The flaw as a refusal names it, without the first `below` steps of its path."""
        return FieldProblem(field=dotted(self.path[below:]), problem=self.problem, limit=self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed body. Text and numbers at the flaws' paths must not be used."""

    value: Any
    flaws: tuple[Flaw, ...] = ()

    def require_flawless(self) -> None:
        """Refuse the document as a whole where it has any flaw.

        Raises:
            ApiError: VALIDATION_FAILED, naming every place.
        """
        if self.flaws:
            raise ApiError(ErrorCode.VALIDATION_FAILED, problems=[flaw.as_problem() for flaw in self.flaws])


class _Repeating(dict[str, Any]):
    """An object that names a field twice; which of the values was meant, nobody can tell."""

    repeated: str = ""


_CONTAINERS = frozenset({dict, list, _Repeating})
_SUSPECT = frozenset({float, _Repeating})
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(raw: bytes) -> Document:
    """Parse a body.

    Raises:
        ApiError: MALFORMED_JSON where it is no JSON in UTF-8, VALIDATION_FAILED where it is endlessly nested.
    """
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise invalid_field("", "too_deep", DEEPEST) from None
    except ValueError:  # malformed UTF-8, malformed JSON, a whole number of thousands of digits
        raise ApiError(ErrorCode.MALFORMED_JSON) from None
    # Only an escape can bring NUL or a lone surrogate in: as raw bytes both are malformed.
    texts = "\\u" in text
    return Document(value=value, flaws=_found(value, texts=texts) if texts or _is_suspect(value) else ())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating = _Repeating(found)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            repeating.repeated = name
            break
        seen.add(name)
    return repeating


def _is_suspect(value: Any) -> bool:
    """A cheap look, level by level, at what nearly every document is free of: floats, repeated names, great depth."""
    level = [value]
    for _ in range(DEEPEST + 1):
        kinds = set(map(type, level))
        if not kinds.isdisjoint(_SUSPECT):
            return True
        if kinds.isdisjoint(_CONTAINERS):
            return False
        inner = [node for node in level if type(node) in _CONTAINERS]
        level = [child for node in inner for child in (node.values() if type(node) is dict else node)]
    return True


def _found(value: Any, *, texts: bool) -> tuple[Flaw, ...]:
    found: list[Flaw] = []
    for flaw in _flaws(value, texts=texts):
        found.append(flaw)
        if len(found) > MOST_FLAWS:
            raise ApiError(ErrorCode.VALIDATION_FAILED, problems=[flaw.as_problem() for flaw in found])
    return tuple(found)


def _flaws(value: Any, *, texts: bool) -> Iterator[Flaw]:
    """Breadth first, so that flaws come in an order a reader expects. `texts`: look into texts as well."""
    yield from _leaf((), value, texts=texts)
    queue: list[tuple[Any, Path]] = [(value, ())] if isinstance(value, dict | list) else []
    for node, path in queue:
        if len(path) >= DEEPEST:
            yield Flaw(path=path, problem="too_deep", limit=DEEPEST)
            continue
        if type(node) is _Repeating:
            yield Flaw(path=(*path, node.repeated), problem="repeated")
        if texts and isinstance(node, dict):
            for name in node:
                yield from _leaf((*path, name), name, texts=True)
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            kind = type(child)
            if kind in _CONTAINERS:
                queue.append((child, (*path, name)))
            elif kind is float or (texts and kind is str):
                yield from _leaf((*path, name), child, texts=texts)


def _leaf(path: Path, value: Any, *, texts: bool) -> Iterator[Flaw]:
    if isinstance(value, float) and not isfinite(value):
        yield Flaw(path=path, problem="not_finite")
    if texts and isinstance(value, str):
        problem = text_problem(value)
        if problem:
            yield Flaw(path=path, problem=problem)


def text_problem(text: str) -> str | None:
    """Why this text cannot be stored: Postgres takes no NUL, UTF-8 no unpaired surrogate."""
    if "\0" in text:
        return "holds_nul"
    return "holds_surrogate" if _SURROGATE.search(text) else None
