"""Holds what the engine left against what the model says, where the model cannot know ids and instants.

One rule: an `Unknown` is bound to the first value it meets, and from then on stands for that value and no other does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.support.model_rows import Unknown, Written


class Bindings:
    """What the unknowns of one tenant have turned out to be."""

    def __init__(self, loose: Iterable[str] = ()) -> None:
        """Of the kinds that are `loose` any value will do."""
        self._loose = set(loose)
        self._values: dict[Unknown, Any] = {}
        self._unknowns: dict[tuple[str, Any], Unknown] = {}

    def unknown(self, kind: str, value: Any) -> Unknown | None:
        """What has turned out to be this value."""
        return self._unknowns.get((kind, value))

    def loosen(self, kind: str) -> None:
        """From now on any value will do for unknowns of this kind."""
        self._loose.add(kind)

    def bind(self, unknown: Unknown, value: Any) -> bool:
        """Whether the value fits what was bound before. Instants may be shared: one pass is one instant."""
        if unknown.kind in self._loose:
            return True
        known = self._values.setdefault(unknown, value)
        holder = unknown if unknown.kind == "at" else self._unknowns.setdefault((unknown.kind, value), unknown)
        return known == value and holder == unknown

    def agrees(self, unknown: Unknown, value: Any) -> bool:
        """Whether the value stands for nothing else, as far as is known; nothing is learned of it."""
        return unknown.kind in self._loose or self._unknowns.get((unknown.kind, value), unknown) == unknown

    def assert_same(self, expected: Any, actual: Any) -> None:
        """Every difference is named by its path; types count, so that 1, 1.0 and true are three things."""
        differences = list(self._differences(expected, actual, ""))
        assert not differences, "\n".join(differences)

    def _differences(self, expected: Any, actual: Any, path: str) -> Iterator[str]:
        match expected:
            case Unknown():
                if not self.bind(expected, actual):
                    yield f"{path}: {actual!r} is not {expected}, which is {self._values[expected]!r}"
            case Written(parts=parts):
                text = "".join(str(self._values.get(part, part)) for part in parts)
                if text != actual:
                    yield f"{path}: {actual!r} instead of {text!r}"
            case Mapping() if isinstance(actual, Mapping):
                yield from self._in_mapping(expected, actual, path)
            case list() | tuple() if isinstance(actual, Sequence):
                yield from self._in_sequence(expected, actual, path)
            case _:
                if type(expected) is not type(actual) or expected != actual:
                    yield f"{path}: {actual!r} instead of {expected!r}"

    def _in_mapping(self, expected: Mapping[Any, Any], actual: Mapping[Any, Any], path: str) -> Iterator[str]:
        for key in sorted(expected.keys() | actual.keys(), key=str):
            if key not in actual or key not in expected:
                yield f"{path}/{key}: {'missing' if key in expected else 'not expected'}"
            else:
                yield from self._differences(expected[key], actual[key], f"{path}/{key}")

    def _in_sequence(self, expected: Sequence[Any], actual: Sequence[Any], path: str) -> Iterator[str]:
        if len(expected) != len(actual):
            yield f"{path}: {len(actual)} instead of {len(expected)}: {actual!r} instead of {expected!r}"
        for place, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from self._differences(one, other, f"{path}[{place}]")
