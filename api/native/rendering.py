"""What the renderers of the native API share: outcomes of a stored operation, refusals in words, names of items. Pure.

One rule: as in translate.py, whatever is shown comes out of the stored operation alone.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from api.errors.api_error import ErrorReport
from api.errors.families import NATIVE, Family
from api.errors.languages import Languages
from api.errors.problems import told
from api.http.fields import LONGEST_NAME
from api.http.json_reading import text_problem
from api.http.operation import Rendered
from domain.errors import JSON, ErrorCode
from domain.outcomes import outcomes_in
from infra.postgres.operations import OperationView

Outcome = Mapping[str, Any]
Item = Mapping[str, JSON]

CREATED, OK, NO_CONTENT = 201, 200, 204


def outcomes_of(view: OperationView) -> Sequence[Outcome]:
    """One outcome per item, in order."""
    return outcomes_in(view.response or {})


def refused(view: OperationView, outcome: Outcome) -> Rendered:
    """The answer of a single call that was refused."""
    report = _report(view, outcome, NATIVE)
    return Rendered(report.status, NATIVE.shape(report))


def stored_item(view: OperationView, item: Item, *, number: JSON, created: bool) -> dict[str, JSON]:
    """An item of a batch of upserts that was stored; what a dry run would create has no id."""
    key = named(item, ("key",))["key"]
    return {"key": key, "id": None if view.dry_run and created else number, "status": CREATED if created else OK}


def refused_upsert(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    """An item of a batch of upserts that was refused."""
    return {**named(item, ("key",)), "id": None, **refused_item(view, outcome, NATIVE)}


def sent_texts(raw: Any, names: Sequence[str]) -> dict[str, str]:
    """Those texts of a malformed item that can be stored and shown again."""
    values = {name: raw.get(name) for name in names} if isinstance(raw, dict) else {}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str) and len(value) <= LONGEST_NAME and not text_problem(value)
    }


def named(item: Item, names: Sequence[str], sent_names: Sequence[str] | None = None) -> dict[str, JSON]:
    """The names of an item as it was read, or as far as a malformed one could be."""
    if "invalid" not in item:
        return {name: item[name] for name in names}
    sent = item["sent"]
    return {name: sent.get(name) if isinstance(sent, dict) else None for name in sent_names or names}


def refused_item(view: OperationView, outcome: Outcome, family: Family, *, with_facts: bool = False) -> dict[str, JSON]:
    """Status and error of an item that was refused; `with_facts` also what its message quotes, for programs."""
    report = _report(view, outcome, family)
    error: dict[str, JSON] = {"code": report.code.value, "message": report.message}
    if outcome.get("field"):  # empty: the item itself
        error["field"] = outcome["field"]
    if with_facts and report.details:
        error["details"] = dict(report.details)
    return {"status": report.status, "error": error}


def _report(view: OperationView, outcome: Outcome, family: Family) -> ErrorReport:
    """The refusal in words. A field that no problem explains is explained by the refusal itself."""
    code, field = ErrorCode(outcome["code"]), outcome.get("field")
    details = dict(outcome.get("details", {}))
    reason = details.pop("reason", None)
    problem = None if field is None or reason is None else told(field, reason)
    report = family.report(
        code,
        languages(view).spoken,
        problems=[problem] if problem else (),
        details=details,
        operation_id=view.id,
    )
    if field is None or problem is not None:
        return report
    return dataclasses.replace(report, problems=((field, report.title),))


def languages(view: OperationView) -> Languages:
    """The caller's languages at the time."""
    return Languages.stored(view.presentation.language)
