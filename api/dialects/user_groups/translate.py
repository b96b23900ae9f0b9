"""Requests of the users API to changes, and stored outcomes to its answers. Pure; golden-tested.

One rule: an answer is made of the stored operation alone, so that a replay is the same to the byte.
"""

from collections.abc import Callable, Mapping
from typing import Any

from api.dialects.user_groups.schemas import AssignmentCreate, AssignmentCreateItem, AssignmentDeleteItem
from api.dialects.user_groups.shapes import assignment_of_outcome
from api.errors.families import USERS
from api.errors.languages import Languages
from api.errors.problems import told
from api.http.json_reading import text_problem
from api.http.operation import Forms, Rendered
from api.http.single import Outcome, answer_of_single
from domain.columns import itemized
from domain.commands import AssignmentChange, AssignmentOp
from domain.errors import JSON, ErrorCode
from domain.outcomes import AssignedRow, assigned_in, outcomes_in
from infra.postgres.operations import OperationView

CREATED = "user_groups.created"
DELETED = "user_groups.deleted"
BATCH_CREATED = "user_groups.batch_created"
BATCH_DELETED = "user_groups.batch_deleted"

_LONGEST_ECHO = 128


def creation(group: str, body: AssignmentCreate) -> AssignmentChange:
    """What a single call asks for."""
    return AssignmentChange(AssignmentOp.CREATE, group, body.user_id, body.role_id)


def creation_item(item: AssignmentCreateItem) -> AssignmentChange:
    """What an item of a batch asks for."""
    return creation(item.group_id, item.body)


def deletion(group: str, user: str, role: str) -> AssignmentChange:
    """What a single deletion asks for."""
    return AssignmentChange(AssignmentOp.DELETE, group, user, role)


def deletion_item(item: AssignmentDeleteItem) -> AssignmentChange:
    """What an item of a batch of deletions asks for."""
    return deletion(item.group_id, item.user_id, item.role_id)


def sent_to_create(raw: Any) -> dict[str, str]:
    """The ids that can be read in a malformed item."""
    body = raw.get("body") if isinstance(raw, dict) else None
    return _readable(raw, "group_id") | _readable(body, "user_id", "role_id")


def sent_to_delete(raw: Any) -> dict[str, str]:
    """The ids that can be read in a malformed item."""
    return _readable(raw, "group_id", "user_id", "role_id")


def _readable(raw: Any, *fields: str) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    return {field: raw[field] for field in fields if _is_readable(raw.get(field))}


def _is_readable(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ECHO and text_problem(value) is None


def created(view: OperationView) -> Rendered:
    """201 and the assignment, or the refusal."""
    return answer_of_single(view, USERS, lambda outcome: Rendered(201, _assignment(view)(AssignedRow.of(outcome))))


def deleted(view: OperationView) -> Rendered:
    """200 without a body, or the refusal."""
    return answer_of_single(view, USERS, lambda _: Rendered(200, None))


def batch_created(view: OperationView) -> Rendered:
    """One result per item, in order; one that succeeded carries the assignment."""
    show = _assignment(view)
    assigned = assigned_in(view.response or {})
    if assigned is None:
        return _batch(view, 201, lambda outcome: show(AssignedRow.of(outcome)))
    items: list[JSON] = [
        {"status": 201, "group_id": one.group, "user_id": one.user, "role_id": one.role, "body": show(one)}
        for one in assigned
    ]
    return Rendered(200, {"items": items})


def batch_deleted(view: OperationView) -> Rendered:
    """One result per item, in order."""
    return _batch(view, 200)


FORMS: Forms = {CREATED: created, DELETED: deleted, BATCH_CREATED: batch_created, BATCH_DELETED: batch_deleted}


def _assignment(view: OperationView) -> Callable[[AssignedRow], dict[str, JSON]]:
    """How this operation's caller is shown an assignment."""
    response = view.response or {}
    languages = Languages.stored(view.presentation.language)
    # Chosen once per role, not once per item: a batch names few roles often.
    titles = {role: languages.choose(texts) or role for role, texts in response.get("titles", {}).items()}
    with_actions = bool(view.presentation.options.get("actions"))
    return lambda outcome: assignment_of_outcome(outcome, titles, with_actions=with_actions)


def _batch(view: OperationView, status: int, body: Callable[[Outcome], JSON] | None = None) -> Rendered:
    language = Languages.stored(view.presentation.language).spoken
    items: list[JSON] = []
    for asked, outcome in zip(itemized(view.request)["items"], outcomes_in(view.response or {}), strict=True):
        ids = _ids(asked)
        if outcome["outcome"] == "refused":
            items.append(_item_refused(outcome, ids, language))
            continue
        item: dict[str, JSON] = {"status": status, **ids}
        if body is not None:
            item["body"] = body(outcome)
        items.append(item)
    return Rendered(200, {"items": items})


def _ids(asked: Mapping[str, Any]) -> dict[str, JSON]:
    """The ids of an item as they were sent; of a malformed one those that could be read, the others null."""
    if "invalid" in asked:
        return {name: asked["sent"].get(name) for name in ("group_id", "user_id", "role_id")}
    return {"group_id": asked["group"], "user_id": asked["user"], "role_id": asked["role"]}


def _item_refused(outcome: Outcome, ids: dict[str, JSON], language: str) -> dict[str, JSON]:
    code = ErrorCode(outcome["code"])
    if code is not ErrorCode.INVALID_ITEM:
        report = USERS.report(code, language)
        return {"status": report.status, **ids, "error": {"code": code.value, "message": report.message}}
    problem = told(outcome["field"], outcome["details"]["reason"])
    report = USERS.report(code, language, problems=[problem])
    error: JSON = {"code": code.value, "message": report.message, "field": problem.field}
    return {"status": report.status, **ids, "error": error}
