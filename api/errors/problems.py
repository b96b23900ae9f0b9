"""What Pydantic found wrong with a value, as words of our own catalogue.

One rule: a value that was sent never comes back in a problem; only the field, the word and the bound do.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from api.errors.api_error import FieldProblem
from api.errors.texts import PROBLEMS

_WORDS = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_type": "not_text",
    "int_type": "not_integer",
    "int_parsing": "not_integer",
    "int_from_float": "not_integer",
    "int_parsing_size": "not_integer",
    "bool_type": "not_boolean",
    "bool_parsing": "not_boolean",
    "list_type": "not_list",
    "tuple_type": "not_list",
    "dict_type": "not_object",
    "model_type": "not_object",
    "model_attributes_type": "not_object",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_form",
    "too_short": "too_few",
    "too_long": "too_many",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_large",
    "enum": "unknown_value",
    "literal_error": "unknown_value",
    "uuid_parsing": "not_uuid",
    "uuid_type": "not_uuid",
    "none_required": "must_be_null",
}
_LONGEST_NAME = 64
_LIMITS = ("min_length", "max_length", "ge", "le", "expected", "limit")


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """One problem for each thing that Pydantic reports, in its order."""
    found = error.errors(include_url=False, include_input=False)
    return [problem_at(dotted(item["loc"]), item["type"], item.get("ctx", {})) for item in found]


def problem_at(field: str, error_type: str, facts: Mapping[str, Any]) -> FieldProblem:
    """The problem behind one Pydantic error; a custom error's type is a word of the catalogue itself."""
    word = _WORDS.get(error_type, error_type if error_type in PROBLEMS else "invalid")
    limit = next((facts[name] for name in _LIMITS if name in facts), None)
    return FieldProblem(field=field, problem=word, limit=limit if isinstance(limit, str | int | None) else str(limit))


def reason_of(problem: FieldProblem) -> str:
    """The problem in one word to be stored with an item; `told` reads it back in any language."""
    return problem.problem if problem.limit is None else f"{problem.problem}:{problem.limit}"


def told(field: str, reason: str) -> FieldProblem:
    """The problem that `reason_of` stored; a word that is no longer known reads as `invalid`."""
    word, _, limit = reason.partition(":")
    return FieldProblem(field=field, problem=word if word in PROBLEMS else "invalid", limit=limit or None)


def dotted(path: Iterable[str | int]) -> str:
    """`items.3.body.user_id`. A name that a caller made up is shown as far as it can be."""
    return ".".join(_shown(str(part)) for part in path)


def _shown(name: str) -> str:
    shown = name[:_LONGEST_NAME]
    return shown if shown.isprintable() else ascii(shown)[1:-1]
