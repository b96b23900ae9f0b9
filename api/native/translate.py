"""Between the native API's words and the domain's: bodies to commands, stored outcomes to answers. Pure.

One rule: an answer is made of the stored operation alone, so that it is the same every time it is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any

from api.errors.families import USERS
from api.http.operation import Rendered, Renderer
from api.native.rendering import (
    CREATED,
    NO_CONTENT,
    OK,
    Item,
    Outcome,
    languages,
    named,
    outcomes_of,
    refused,
    refused_item,
    refused_upsert,
    sent_texts,
    stored_item,
)
from api.native.schemas import AssignmentItem, GroupFields, RoleFields, UserFields
from domain.columns import itemized
from domain.commands import AssignmentChange, AssignmentOp, GroupPut, RolePut, UserPut
from domain.errors import JSON
from domain.sources import SourceName
from infra.postgres.operations import OperationView


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
    return sent_texts(raw, ("key",))


def sent_names(raw: Any) -> dict[str, str]:
    """The group, user and role of a malformed item, as far as they can be read."""
    return sent_texts(raw, ("group_id", "user_id", "role_id"))


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
    (outcome,) = outcomes_of(view)
    return refused(view, outcome) if outcome["outcome"] == "refused" else Rendered(NO_CONTENT, None)


def render_batch(view: OperationView) -> Rendered:
    """The answer of a batch of upserts: `{key, id, status}` or `{key, status, error}` per item."""
    pairs = zip(view.request["items"], outcomes_of(view), strict=True)
    return Rendered(OK, {"items": [_stored_item(view, item, outcome) for item, outcome in pairs]})


def render_assignments(view: OperationView) -> Rendered:
    """The answer of a batch of assignments: results as in the users API."""
    pairs = zip(itemized(view.request)["items"], outcomes_of(view), strict=True)
    return Rendered(OK, {"items": [_assignment_item(view, item, outcome) for item, outcome in pairs]})


def _stored(view: OperationView, show: Callable[[Item, Outcome], dict[str, JSON]]) -> Rendered:
    (item,), (outcome,) = view.request["items"], outcomes_of(view)
    if outcome["outcome"] == "refused":
        return refused(view, outcome)
    return Rendered(_status(outcome), show(item, outcome))


def _status(outcome: Outcome) -> int:
    return CREATED if outcome["outcome"] == "created" else OK


def _stored_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    if outcome["outcome"] == "refused":
        return refused_upsert(view, item, outcome)
    return stored_item(view, item, number=outcome["id"], created=outcome["outcome"] == "created")


def _assignment_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    group, user, role = named(item, ("group", "user", "role"), ("group_id", "user_id", "role_id")).values()
    names: dict[str, JSON] = {"group_id": group, "user_id": user, "role_id": role}
    match outcome["outcome"]:
        case "refused":
            return {**names, **refused_item(view, outcome, USERS)}
        case "assigned":
            return {**names, "status": CREATED, "body": _assignment(view, outcome)}
        case _:
            return {**names, "status": OK}


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
        "role": {"id": outcome["role"], "title": languages(view).choose(titles)},
        "source": outcome["sources"][0],
        "created_at": outcome["created_at"],
    }


FORMS: Mapping[str, Renderer] = {
    "native.user": render_user,
    "native.group": render_group,
    "native.role": render_role,
    "native.deleted": render_deleted,
    "native.batch": render_batch,
    "native.assignments": render_assignments,
}
