"""Decides what becomes of groups and roles: put and deleted, with the assignments that go with them."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.assignments import ASSIGNABLE_SCOPE
from domain.commands import DeleteGroups, DeleteRoles, GroupPut, PutGroups, PutRoles, RolePut
from domain.errors import ErrorCode, Refusal
from domain.events import Event, EventType
from domain.items import InvalidItem
from domain.ledger import Ledger
from domain.outcomes import Deleted, Outcome, Result, Stored
from domain.planning import Decision, Order, in_order, refusal_of
from domain.users import MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group's row. It is in use while anybody has a role in it or has it as primary group; its grants go with it."""

    id: int
    key: str
    name: str
    user_count: int = 0
    is_in_use: bool = False
    has_grants: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRole:
    """A role's row. It is in use while anybody holds it."""

    id: int
    key: str
    permission_scope: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    is_in_use: bool = False


def plan_put_groups(
    orders: Sequence[Order[PutGroups]], groups: Ledger[Group], fresh_ids: Iterator[int]
) -> list[Decision]:
    """Decide every command in turn; `groups` holds the net effect afterwards."""
    decisions: list[Decision] = []
    for order in orders:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        for item in order.command.items:
            if isinstance(item, InvalidItem):
                outcomes.append(refusal_of(item))
                continue
            old = groups.get(order.tenant_id, item.key)
            new = _group(item, old, fresh_ids)
            if new != old:
                groups.put(order.tenant_id, new)
                events.append(_group_event(EventType.GROUP_UPDATED, new))
            outcomes.append(Stored(key=new.key, id=new.id, created=old is None, user_count=new.user_count))
        decisions.append(_decision(outcomes, events))
    return decisions


def plan_put_roles(
    orders: Sequence[Order[PutRoles]], roles: Ledger[DirectoryRole], fresh_ids: Iterator[int]
) -> list[Decision]:
    """Decide every command in turn; `roles` holds the net effect afterwards. Roles have no events."""
    decisions: list[Decision] = []
    for order in orders:
        outcomes: list[Outcome] = []
        for item in order.command.items:
            if isinstance(item, InvalidItem):
                outcomes.append(refusal_of(item))
                continue
            if item.key == MEMBER and item.permission_scope != ASSIGNABLE_SCOPE:
                # Primary groups give it, and only roles of this scope can be given in groups.
                outcomes.append(Refusal(code=ErrorCode.ROLE_IS_BUILT_IN, field="permission_scope"))
                continue
            old = roles.get(order.tenant_id, item.key)
            new = _role(item, old, fresh_ids)
            if new != old:
                roles.put(order.tenant_id, new)
            outcomes.append(Stored(key=new.key, id=new.id, created=old is None))
        decisions.append(_decision(outcomes, []))
    return decisions


def plan_delete_groups(orders: Sequence[Order[DeleteGroups]], groups: Ledger[Group]) -> list[Decision]:
    """Decide every command in turn. What goes along with a group that is in use is taken away after it."""
    decisions: list[Decision] = []
    for order in orders:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        for key in order.command.keys:
            group = groups.get(order.tenant_id, key)
            if group is None or (group.is_in_use and not order.command.cascade):
                outcomes.append(_group_stays(group))
                continue
            events.append(_group_event(EventType.GROUP_DELETED, group))
            groups.remove(order.tenant_id, key)
            outcomes.append(Deleted(key=key, id=group.id))
        decisions.append(_decision(outcomes, events))
    return decisions


def plan_delete_roles(orders: Sequence[Order[DeleteRoles]], roles: Ledger[DirectoryRole]) -> list[Decision]:
    """Decide every command in turn, likewise. Roles have no events."""
    decisions: list[Decision] = []
    for order in orders:
        outcomes: list[Outcome] = []
        for key in order.command.keys:
            role = roles.get(order.tenant_id, key)
            if role is None or role.key == MEMBER or (role.is_in_use and not order.command.cascade):
                outcomes.append(_role_stays(role))
                continue
            roles.remove(order.tenant_id, key)
            outcomes.append(Deleted(key=key, id=role.id))
        decisions.append(_decision(outcomes, []))
    return decisions


def _group_stays(group: Group | None) -> Refusal:
    if group is None:
        return Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="key")
    return Refusal(code=ErrorCode.USER_GROUP_IN_USE, field="key", details={"user_count": group.user_count})


def _role_stays(role: DirectoryRole | None) -> Refusal:
    if role is None:
        return Refusal(code=ErrorCode.ROLE_DOES_NOT_EXIST, field="key")
    return Refusal(code=ErrorCode.ROLE_IS_BUILT_IN if role.key == MEMBER else ErrorCode.ROLE_IN_USE, field="key")


def _group(item: GroupPut, old: Group | None, fresh_ids: Iterator[int]) -> Group:
    if old is None:
        return Group(id=next(fresh_ids), key=item.key, name=item.name)
    return dataclasses.replace(old, name=item.name)


def _role(item: RolePut, old: DirectoryRole | None, fresh_ids: Iterator[int]) -> DirectoryRole:
    return DirectoryRole(
        id=next(fresh_ids) if old is None else old.id,
        key=item.key,
        permission_scope=item.permission_scope,
        titles=dict(item.titles),
        descriptions=dict(item.descriptions),
        is_in_use=old is not None and old.is_in_use,
    )


def _group_event(event_type: EventType, group: Group) -> Event:
    return Event(type=event_type, subject=f"groups/{group.key}", data={"group": {"id": group.id, "key": group.key}})


def _decision(outcomes: Sequence[Outcome], events: Sequence[Event]) -> Decision:
    return Decision(result=Result(outcomes=outcomes, titles={}), events=in_order(events))
