"""Between the native API's words and the domain's: bodies to commands, stored outcomes to answers. Pure.

One rule: an answer is made of the stored operation alone, so that it is the same every time it is asked for.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.errors.api_error import ErrorReport
from api.errors.families import NATIVE, USERS, Family
from api.errors.languages import Languages
from api.errors.problems import told
from api.http.json_reading import text_problem
from api.http.operation import Rendered, Renderer
from api.native.fields import LONGEST_NAME
from api.native.schemas import AssignmentItem, GroupFields, RoleFields, UserFields
from domain.commands import AssignmentChange, AssignmentOp, GroupPut, RolePut, UserPut
from domain.errors import JSON, ErrorCode
from domain.sources import SourceName
from infra.postgres.operations import OperationView

Outcome = Mapping[str, Any]
Item = Mapping[str, JSON]

CREATED, OK, NO_CONTENT = 201, 200, 204


def user_put(key: str, fields: UserFields) -> UserPut:
    """The person as the caller wants it to be."""
    return UserPut(
        key=key,
        username=fields.username,
        email=fields.email,
        first_name=fields.first_name,
        last_name=fields.last_name,
        department=fields.department,
        active=fields.active,
        attributes=fields.attributes,
        primary_group=fields.primary_group,
    )


def group_put(key: str, fields: GroupFields) -> GroupPut:
    """The group as the caller wants it to be."""
    return GroupPut(key=key, name=fields.name)


def role_put(key: str, fields: RoleFields) -> RolePut:
    """The role as the caller wants it to be."""
    return RolePut(
        key=key, permission_scope=fields.permission_scope, titles=fields.titles, descriptions=fields.descriptions
    )


def assignment_change(item: AssignmentItem) -> AssignmentChange:
    """One change of one source of an assignment."""
    return AssignmentChange(
        op=AssignmentOp(item.op),
        group=item.group_id,
        user=item.user_id,
        role=item.role_id,
        source=SourceName(item.source),
    )


def sent_key(raw: Any) -> dict[str, str]:
    """The key of a malformed item, where one can be read."""
    return _sent(raw, ("key",))


def sent_names(raw: Any) -> dict[str, str]:
    """The group, user and role of a malformed item, as far as they can be read."""
    return _sent(raw, ("group_id", "user_id", "role_id"))


def _sent(raw: Any, names: Sequence[str]) -> dict[str, str]:
    values = {name: raw.get(name) for name in names} if isinstance(raw, dict) else {}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str) and len(value) <= LONGEST_NAME and not text_problem(value)
    }


def render_user(view: OperationView) -> Rendered:
    """The answer of PUT /v1/users/{key}: the person as stored."""
    return _stored(view, lambda item, outcome: {"id": outcome["id"], **item})


def render_group(view: OperationView) -> Rendered:
    """The answer of PUT /v1/groups/{key}."""
    return _stored(view, lambda item, outcome: {"id": outcome["id"], **item, "user_count": outcome["user_count"]})


def render_role(view: OperationView) -> Rendered:
    """The answer of PUT /v1/roles/{key}."""
    return _stored(view, lambda item, _: dict(item))


def render_deleted(view: OperationView) -> Rendered:
    """The answer of a DELETE: nothing is left to show."""
    (outcome,) = _outcomes(view)
    return _refused(view, outcome) if outcome["outcome"] == "refused" else Rendered(NO_CONTENT, None)


def render_batch(view: OperationView) -> Rendered:
    """The answer of a batch of upserts: `{key, id, status}` or `{key, status, error}` per item."""
    pairs = zip(view.request["items"], _outcomes(view), strict=True)
    return Rendered(OK, {"items": [_stored_item(view, item, outcome) for item, outcome in pairs]})


def render_assignments(view: OperationView) -> Rendered:
    """The answer of a batch of assignments: results as in the users API."""
    pairs = zip(view.request["items"], _outcomes(view), strict=True)
    return Rendered(OK, {"items": [_assignment_item(view, item, outcome) for item, outcome in pairs]})


def _outcomes(view: OperationView) -> Sequence[Outcome]:
    outcomes: Sequence[Outcome] = (view.response or {})["items"]
    return outcomes


def _stored(view: OperationView, show: Callable[[Item, Outcome], dict[str, JSON]]) -> Rendered:
    (item,), (outcome,) = view.request["items"], _outcomes(view)
    if outcome["outcome"] == "refused":
        return _refused(view, outcome)
    return Rendered(_status(outcome), show(item, outcome))


def _status(outcome: Outcome) -> int:
    return CREATED if outcome["outcome"] == "created" else OK


def _refused(view: OperationView, outcome: Outcome) -> Rendered:
    report = _report(view, outcome, NATIVE)
    return Rendered(report.status, NATIVE.shape(report))


def _stored_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    key = _named(item, ("key",))["key"]
    if outcome["outcome"] == "refused":
        return {"key": key, "id": None, **_refused_item(view, outcome, NATIVE)}
    # What a dry run would create has no id.
    number = None if view.dry_run and outcome["outcome"] == "created" else outcome["id"]
    return {"key": key, "id": number, "status": _status(outcome)}


def _assignment_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    group, user, role = _named(item, ("group", "user", "role"), ("group_id", "user_id", "role_id")).values()
    names: dict[str, JSON] = {"group_id": group, "user_id": user, "role_id": role}
    match outcome["outcome"]:
        case "refused":
            return {**names, **_refused_item(view, outcome, USERS)}
        case "assigned":
            return {**names, "status": CREATED, "body": _assignment(view, outcome)}
        case _:
            return {**names, "status": OK}


def _named(item: Item, names: Sequence[str], sent_names: Sequence[str] | None = None) -> dict[str, JSON]:
    """The names of an item as it was read, or as far as a malformed one could be."""
    if "invalid" not in item:
        return {name: item[name] for name in names}
    sent = item["sent"]
    return {name: sent.get(name) if isinstance(sent, dict) else None for name in sent_names or names}


def _assignment(view: OperationView, outcome: Outcome) -> dict[str, JSON]:
    user = outcome["user"]
    titles = (view.response or {}).get("titles", {}).get(outcome["role"], {})
    return {
        "group_id": outcome["group"],
        "user": {
            "id": user["key"],
            "first_name": user["first_name"],
            "last_name": user["last_name"],
            "department": user["department"],
            "status": "ACTIVE" if user["active"] else "INACTIVE",
        },
        "role": {"id": outcome["role"], "title": _languages(view).choose(titles)},
        "source": outcome["sources"][0],
        "created_at": outcome["created_at"],
    }


def _refused_item(view: OperationView, outcome: Outcome, family: Family) -> dict[str, JSON]:
    report = _report(view, outcome, family)
    error: dict[str, JSON] = {"code": report.code.value, "message": report.message}
    if outcome.get("field"):  # empty: the item itself
        error["field"] = outcome["field"]
    return {"status": report.status, "error": error}


def _report(view: OperationView, outcome: Outcome, family: Family) -> ErrorReport:
    """The refusal in words. A field that no problem explains is explained by the refusal itself."""
    code, field = ErrorCode(outcome["code"]), outcome.get("field")
    details = dict(outcome.get("details", {}))
    reason = details.pop("reason", None)
    problem = None if field is None or reason is None else told(field, reason)
    report = family.report(
        code,
        _languages(view).spoken,
        problems=[problem] if problem else (),
        details=details,
        operation_id=view.id,
    )
    if field is None or problem is not None:
        return report
    return dataclasses.replace(report, problems=((field, report.title),))


def _languages(view: OperationView) -> Languages:
    return Languages.stored(view.presentation.language)


FORMS: Mapping[str, Renderer] = {
    "native.user": render_user,
    "native.group": render_group,
    "native.role": render_role,
    "native.deleted": render_deleted,
    "native.batch": render_batch,
    "native.assignments": render_assignments,
}
