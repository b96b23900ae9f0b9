"""The job that every peer does: give people roles in groups, with checks, a result for each item, and counts.

Twice: with what a batch needs read together, as SQLAlchemy's documentation advises, and item by item, as it is often
written. The caller owns the transaction. Groups are locked in the order of their ids, so that batches do not deadlock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from tests.benchmarks.peers.models import Assignment, Group, Role, User

Item = Mapping[str, Any]
Results = list[dict[str, Any]]
Job = Callable[[Session, list[Item]], Results]


@dataclass(slots=True)
class Facts:
    """What a batch is decided on. `held` has a role for each (group, person) pair; `known` the roles by pair."""

    users: dict[str, User]
    groups: dict[str, Group]
    roles: dict[str, Role]
    known: dict[tuple[int, int], set[int]] = field(default_factory=dict)


def assign_together(session: Session, items: list[Item]) -> Results:
    """Read what all items need in four statements, decide, and let one flush write."""
    with session.no_autoflush:
        facts = Facts(
            users=_by_key(
                session.scalars(select(User).where(User.key.in_({item["body"]["user_id"] for item in items})))
            ),
            groups=_by_key(session.scalars(_locked({item["group_id"] for item in items}))),
            roles=_by_key(
                session.scalars(select(Role).where(Role.key.in_({item["body"]["role_id"] for item in items})))
            ),
        )
        pairs = [
            (facts.groups[item["group_id"]].id, facts.users[item["body"]["user_id"]].id)
            for item in items
            if item["group_id"] in facts.groups and item["body"]["user_id"] in facts.users
        ]
        held = select(Assignment.group_id, Assignment.user_id, Assignment.role_id).where(
            tuple_(Assignment.group_id, Assignment.user_id).in_(pairs)
        )
        for group_id, user_id, role_id in session.execute(held):
            facts.known.setdefault((group_id, user_id), set()).add(role_id)
        results = [_assigned(session, facts, item) for item in items]
    session.flush()
    return results


def assign_each(session: Session, items: list[Item]) -> Results:
    """Ask for what each item needs when it comes to it; one flush writes."""
    results: Results = []
    with session.no_autoflush:
        session.scalars(_locked({item["group_id"] for item in items})).all()
        facts = Facts(users={}, groups={}, roles={})
        for item in items:
            facts.users = _by_key(session.scalars(select(User).where(User.key == item["body"]["user_id"])))
            facts.groups = _by_key(session.scalars(select(Group).where(Group.key == item["group_id"])))
            facts.roles = _by_key(session.scalars(select(Role).where(Role.key == item["body"]["role_id"])))
            for group in facts.groups.values():
                for user in facts.users.values():
                    held = select(Assignment.role_id).where(
                        Assignment.group_id == group.id, Assignment.user_id == user.id
                    )
                    facts.known.setdefault((group.id, user.id), set()).update(session.scalars(held))
            results.append(_assigned(session, facts, item))
    session.flush()
    return results


def _assigned(session: Session, facts: Facts, item: Item) -> dict[str, Any]:
    """Check one item in the published order; a good one is added to the session and counted."""
    user, group = facts.users.get(item["body"]["user_id"]), facts.groups.get(item["group_id"])
    role = facts.roles.get(item["body"]["role_id"])
    if group is None:
        return _refused(item, 404, "USER_GROUP_DOES_NOT_EXIST")
    if user is None:
        return _refused(item, 404, "USER_DOES_NOT_EXIST")
    if role is None:
        return _refused(item, 400, "ROLE_DOES_NOT_EXIST")
    if role.permission_scope != "USER_GROUPS":
        return _refused(item, 400, "ROLE_HAS_WRONG_PERMISSION_SCOPE")
    if not user.active:
        return _refused(item, 400, "USER_IS_NOT_ACTIVE")
    held = facts.known.setdefault((group.id, user.id), set())
    if role.id in held:
        return _refused(item, 400, "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS")
    if not held:
        group.user_count += 1
    held.add(role.id)
    session.add(Assignment(group_id=group.id, user_id=user.id, role_id=role.id))
    return {
        "status": 201,
        "group_id": group.key,
        "user_id": user.key,
        "role_id": role.key,
        "body": {
            "group_id": group.key,
            "user": {
                "id": user.key,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "department": user.department,
                "status": "ACTIVE",
            },
            "role": {"id": role.key, "title": role.title},
            "source": "MANUAL",
        },
    }


def _refused(item: Item, status: int, code: str) -> dict[str, Any]:
    return {
        "status": status,
        "group_id": item["group_id"],
        "user_id": item["body"]["user_id"],
        "role_id": item["body"]["role_id"],
        "error": {"code": code, "message": code},
    }


def _locked(keys: Iterable[str]) -> Any:
    return select(Group).where(Group.key.in_(keys)).order_by(Group.id).with_for_update()


def _by_key(found: Iterable[Any]) -> dict[str, Any]:
    return {one.key: one for one in found}
