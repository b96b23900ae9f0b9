"""What was read, as the native API shows it. Pure.

One rule: every user and group is shown by both its names, the upstream's key and the numeric id.
"""

from api.errors.languages import Languages
from api.errors.texts import message
from domain.errors import JSON, ErrorCode
from domain.outcomes import OperationStatus, timestamp
from domain.sources import names, strongest
from infra.postgres.reads.assignments import AssignmentRow
from infra.postgres.reads.directory import GroupRow, RoleRow, UserRow
from infra.postgres.reads.operations import OperationRow

_CODES = frozenset(code.value for code in ErrorCode)


def user_body(user: UserRow) -> dict[str, JSON]:
    """A person."""
    return {
        "id": user.id,
        "key": user.key,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "department": user.department,
        "active": user.active,
        "attributes": user.attributes,
        "primary_group": user.primary_group,
    }


def group_body(group: GroupRow) -> dict[str, JSON]:
    """A group."""
    return {"id": group.id, "key": group.key, "name": group.name, "user_count": group.user_count}


def role_body(role: RoleRow) -> dict[str, JSON]:
    """A role."""
    return {
        "key": role.key,
        "permission_scope": role.permission_scope,
        "titles": {**role.titles},
        "descriptions": {**role.descriptions},
    }


def assignment_body(row: AssignmentRow, languages: Languages) -> dict[str, JSON]:
    """One role of one person in one group."""
    return {
        "group_id": row.group_key,
        "user_id": row.user_key,
        "role_id": row.role_key,
        "group": {"id": row.group_id, "key": row.group_key, "name": row.group_name},
        "user": {
            "id": row.user_id,
            "key": row.user_key,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "department": row.department,
            "active": row.active,
        },
        "role": {"key": row.role_key, "title": languages.choose(row.titles)},
        "source": strongest(row.sources),
        "sources": list(names(row.sources)),
        "created_at": timestamp(row.created_at),
    }


def listed_operation(row: OperationRow, languages: Languages) -> dict[str, JSON]:
    """An operation without its answer; otherwise as GET /v1/operations/{id} shows it, in the reader's language."""
    moments = [("accepted", row.accepted_at), ("started", row.started_at), (row.status.value, row.finished_at)]
    body: dict[str, JSON] = {
        "id": str(row.id),
        "kind": row.kind,
        "status": row.status.value,
        "progress": {"done": row.done, "total": row.total},
        "timeline": [{"at": timestamp(at), "event": event} for event, at in moments if at is not None],
    }
    if row.dry_run:
        body["dry_run"] = True
    if row.superseded_by is not None:
        body["superseded_by"] = str(row.superseded_by)
    failed = _failure(row)
    if failed is not None:
        body["error"] = {"code": failed.value, "message": message(failed, languages.spoken)}
    return body


def _failure(row: OperationRow) -> ErrorCode | None:
    if row.status is OperationStatus.CANCELLED:
        return ErrorCode.OPERATION_CANCELLED
    if row.status is not OperationStatus.FAILED:
        return None
    code = str((row.error or {}).get("code"))
    return ErrorCode(code) if code in _CODES else ErrorCode.INTERNAL_ERROR
