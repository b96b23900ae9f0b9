"""The users API's objects, made of stored outcomes and of rows alike, so that both always look the same."""

from collections.abc import Collection, Mapping, Sequence

from api.errors.languages import Languages
from domain.errors import JSON
from domain.outcomes import AssignedRow, timestamp
from domain.sources import DERIVED, is_derived, names, strongest
from infra.postgres.reads.user_groups import ShownAssignment, ShownRole

_DERIVED_NAMES = frozenset(names(DERIVED))
_STATUSES = {True: "ACTIVE", False: "INACTIVE"}


def assignment_of_outcome(outcome: AssignedRow, titles: Mapping[str, str], *, with_actions: bool) -> dict[str, JSON]:
    """The assignment that an operation has made, with the title its caller reads; who may make one may delete it."""
    group, user, first_name, last_name, department, active, role, sources, created_at = outcome
    shown: dict[str, JSON] = {
        "group_id": group,
        "user": {
            "id": user,
            "first_name": first_name,
            "last_name": last_name,
            "department": department,
            "status": _STATUSES[active],
        },
        "role": {"id": role, "title": titles.get(role, role)},
        "source": sources[0],
        "created_at": created_at,
    }
    if with_actions:
        shown["actions"] = _actions(may_delete=_DERIVED_NAMES.isdisjoint(sources))
    return shown


def assignment_of_row(
    row: ShownAssignment, languages: Languages, *, deletable_roles: Collection[str] | None, with_actions: bool
) -> dict[str, JSON]:
    """The assignment as it stands; `deletable_roles` are those the caller may take away (None: all)."""
    shown: dict[str, JSON] = {
        "group_id": row.group,
        "user": {
            "id": row.user,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "department": row.department,
            "status": _STATUSES[row.active],
        },
        "role": {"id": row.role, "title": languages.choose(row.titles) or row.role},
        "source": strongest(row.sources),
        "created_at": timestamp(row.created_at),
    }
    if with_actions:
        is_allowed = deletable_roles is None or row.role in deletable_roles
        shown["actions"] = _actions(may_delete=is_allowed and not is_derived(row.sources))
    return shown


def assignable_role(row: ShownRole, languages: Languages, *, with_role: bool) -> dict[str, JSON]:
    """A role that may be given."""
    shown: dict[str, JSON] = {"role_id": row.key}
    if with_role:
        shown["role"] = {
            "id": row.key,
            "title": languages.choose(row.titles) or row.key,
            "description": languages.choose(row.descriptions) or "",
        }
    return shown


def page(name: str, items: Sequence[JSON], *, number: int, limit: int, total: int) -> dict[str, JSON]:
    """A page of a list by offset."""
    return {
        name: list(items),
        "pagination": {
            "page_number": number,
            "page_limit": limit,
            "total_count": total,
            "total_pages": -(-total // limit),
        },
    }


def _actions(*, may_delete: bool) -> list[JSON]:
    return ["DELETE"] if may_delete else []
