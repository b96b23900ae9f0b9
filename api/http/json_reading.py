"""Reads JSON strictly: what could harm further down is found here, with the path at which it stands.

One rule: a flaw is reported, not raised, so that a batch can refuse the one item and keep its neighbours.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from api.errors.api_error import ApiError, FieldProblem, invalid_field
from api.errors.problems import dotted
from domain.errors import ErrorCode

DEEPEST = 64
"""How many levels of lists and objects a document may have."""

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
    return Document(value=value, flaws=tuple(_flaws(value, texts="\\u" in text)))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating = _Repeating(found)
    names = [name for name, _ in pairs]
    repeating.repeated = next(name for name in names if names.count(name) > 1)
    return repeating


def _flaws(value: Any, *, texts: bool) -> Iterable[Flaw]:
    """Breadth first, so that flaws come in an order a reader expects; containers are queued, leaves looked at."""
    found = [flaw for flaw in (_leaf((), value, texts=texts),) if flaw]
    queue: list[tuple[Any, Path]] = [(value, ())] if isinstance(value, dict | list) else []
    for node, path in queue:
        if len(path) >= DEEPEST:
            found.append(Flaw(path=path, problem="too_deep", limit=DEEPEST))
            continue
        if type(node) is _Repeating:
            found.append(Flaw(path=(*path, node.repeated), problem="repeated"))
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            kind = type(child)
            if kind is dict or kind is list or kind is _Repeating:
                queue.append((child, (*path, name)))
            elif kind is float or (texts and kind is str):
                flaw = _leaf((*path, name), child, texts=texts)
                if flaw:
                    found.append(flaw)
            if texts and type(name) is str:
                flaw = _leaf((*path, name), name, texts=True)
                if flaw:
                    found.append(flaw)
    return found


def _leaf(path: Path, value: Any, *, texts: bool) -> Flaw | None:
    if isinstance(value, float) and not isfinite(value):
        return Flaw(path=path, problem="not_finite")
    if texts and isinstance(value, str):
        problem = text_problem(value)
        return Flaw(path=path, problem=problem) if problem else None
    return None


def text_problem(text: str) -> str | None:
    """Why this text cannot be stored: Postgres takes no NUL, UTF-8 no unpaired surrogate."""
    if "\0" in text:
        return "holds_nul"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds_surrogate"
    return None
