"""The answer of a write of one item: what its door makes of the outcome, or the refusal in its family's words. Pure.

One rule: it is made of the stored operation alone, so that a replay is the same to the byte.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from api.errors.families import Family
from api.errors.languages import Languages
from api.http.operation import Rendered
from domain.errors import JSON, ErrorCode
from domain.outcomes import outcomes_in
from infra.postgres.operations import OperationView

Outcome = Mapping[str, Any]

_AS_STORED: Mapping[str, str] = MappingProxyType({})


def facts_of(outcome: Outcome, fields: Mapping[str, str] = _AS_STORED) -> dict[str, JSON]:
    """What a refusal says beside its code: its facts, and the field it concerns, in the door's words for it."""
    facts: dict[str, JSON] = dict(outcome.get("details", {}))
    if "field" in outcome:
        facts["field"] = fields.get(outcome["field"], outcome["field"])
    return facts


def answer_of_single(
    view: OperationView,
    family: Family,
    succeeded: Callable[[Outcome], Rendered],
    *,
    facts: Callable[[Outcome], Mapping[str, JSON]] = facts_of,
) -> Rendered:
    """The answer of the operation's first and only item; `facts` go into the details of a refusal."""
    outcome = outcomes_in(view.response or {})[0]
    if outcome["outcome"] != "refused":
        return succeeded(outcome)
    language = Languages.stored(view.presentation.language).spoken
    code = ErrorCode(outcome["code"])
    report = family.report(code, language, details=facts(outcome), request_id=view.request_id)
    return Rendered(report.status, family.shape(report))
