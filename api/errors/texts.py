"""The message catalogues: every code and every problem in every language, in messages/<language>.json.

One rule: the languages say the same; a test holds that each has every code, every problem and the same places.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from api.errors.api_error import FieldProblem
from api.errors.languages import SPOKEN
from domain.errors import JSON, ErrorCode

Catalogue = Mapping[str, Mapping[str, str]]


def _catalogue(language: str) -> Catalogue:
    file = Path(__file__).parent / "messages" / f"{language}.json"
    catalogue: Catalogue = json.loads(file.read_text(encoding="utf-8"))
    return catalogue


CATALOGUES: Mapping[str, Catalogue] = {language: _catalogue(language) for language in SPOKEN}
PROBLEMS = frozenset(CATALOGUES[SPOKEN[0]]["problems"])


def message(code: ErrorCode, language: str, facts: Mapping[str, JSON] | None = None) -> str:
    """What the code means, with the facts its text has places for. `language` is one of `SPOKEN`."""
    return _filled(CATALOGUES[language]["codes"][code], facts or {})


def problem_text(problem: FieldProblem, language: str) -> str:
    """What is wrong with the field, in a sentence that does not name it."""
    return _filled(CATALOGUES[language]["problems"][problem.problem], {"limit": problem.limit})


def _filled(text: str, facts: Mapping[str, JSON]) -> str:
    # Not str.format: what a fact says must never be read as a place.
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
