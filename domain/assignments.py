"""Decides changes of group assignments, item by item, on facts that were read once for the whole wave.

The order of checks is the users API's: form, group, user, role, permission scope, user active, role allowed to
this caller, duplicate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain.book import AssignmentBook, AssignmentKey
from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.errors import ErrorCode, Refusal
from domain.events import Event
from domain.items import InvalidItem
from domain.outcomes import Assigned, Outcome, Person, Result, Unassigned
from domain.planning import Decision, Order, in_order, refusal_of
from domain.seats import SeatBook
from domain.sources import Source, is_derived, names

ASSIGNABLE_SCOPE = "USER_GROUPS"
"""The permission scope that a role must have to be given in a group."""

TenantKey = tuple[int, str]
GIVING = frozenset({AssignmentOp.CREATE, AssignmentOp.ASSIGN})
"""The operations that may make somebody a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role as far as assignments care."""

    id: int
    key: str
    permission_scope: str
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFacts:
    """What a wave's items name, by (tenant, key); what is absent does not exist. Groups map to their ids.

    `running` are the tenants with work that goes on in chunks, of those that were asked about.
    """

    groups: Mapping[TenantKey, int]
    people: Mapping[TenantKey, Person]
    roles: Mapping[TenantKey, Role]
    running: frozenset[int] = frozenset()


def plan_assignments(
    orders: Sequence[Order[ChangeAssignments]],
    facts: AssignmentFacts,
    book: AssignmentBook,
    seats: SeatBook,
) -> list[Decision]:
    """Decide every command in turn; `book`, and `seats` that follows it, hold the net effect afterwards."""
    book.follower = seats
    return [_decide(order, facts, book, seats) for order in orders]


def _decide(order: Order[ChangeAssignments], facts: AssignmentFacts, book: AssignmentBook, seats: SeatBook) -> Decision:
    outcomes: list[Outcome] = []
    events: list[Event] = []
    titles: dict[str, Mapping[str, str]] = {}
    seats.begin(operation_id=order.operation_id, seq=order.seq)
    for item in order.command.items:
        if isinstance(item, InvalidItem):
            outcomes.append(refusal_of(item))
            continue
        checked = _check(order, item, facts)
        if isinstance(checked, Refusal):
            outcomes.append(checked)
            continue
        key, person, role = checked
        outcome, event = _apply(item, key, person, book, seats.at)
        outcomes.append(outcome)
        if event is not None:
            events.append(event)
            events += seats.drain()
        if isinstance(outcome, Assigned):
            titles[item.role] = role.titles
    events += seats.end()
    return Decision(result=Result(outcomes=outcomes, titles=titles), events=in_order(events))


_Checked = tuple[AssignmentKey, Person, Role]


def _check(order: Order[ChangeAssignments], item: AssignmentChange, facts: AssignmentFacts) -> _Checked | Refusal:
    tenant_id, gives = order.tenant_id, item.op in GIVING
    group_id = facts.groups.get((tenant_id, item.group))
    if group_id is None:
        return Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="group_id")
    person = facts.people.get((tenant_id, item.user))
    if person is None:
        return Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field="user_id")
    role = facts.roles.get((tenant_id, item.role))
    if role is None:
        return Refusal(code=ErrorCode.ROLE_DOES_NOT_EXIST, field="role_id")
    if gives and role.permission_scope != ASSIGNABLE_SCOPE:
        return Refusal(code=ErrorCode.ROLE_HAS_WRONG_PERMISSION_SCOPE, field="role_id")
    if gives and not person.active:
        return Refusal(code=ErrorCode.USER_IS_NOT_ACTIVE, field="user_id")
    if order.command.assignable is not None and item.role not in order.command.assignable:
        return Refusal(code=ErrorCode.ROLE_NOT_ASSIGNABLE, field="role_id")
    return AssignmentKey(tenant_id, group_id, person.id, role.id), person, role


def _apply(
    item: AssignmentChange, key: AssignmentKey, person: Person, book: AssignmentBook, at: datetime
) -> tuple[Outcome, Event | None]:
    held = book.get(key)
    match item.op:
        case AssignmentOp.CREATE:
            if held is not None:
                return Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS), None
            return _give(item, key, person, book, at)
        case AssignmentOp.ASSIGN:
            if held is not None and item.source.flag in held.sources:
                return Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS), None
            return _give(item, key, person, book, at)
        case AssignmentOp.DELETE:
            if held is None:
                return Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST), None
            if is_derived(held.sources):
                return Refusal(code=ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN), None
            return _take(item, key, book, held.sources)
        case AssignmentOp.UNASSIGN:
            if held is None or item.source.flag not in held.sources:
                return Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST), None
            return _take(item, key, book, item.source.flag)
        case _:
            assert_never(item.op)


def _give(
    item: AssignmentChange, key: AssignmentKey, person: Person, book: AssignmentBook, at: datetime
) -> tuple[Assigned, Event | None]:
    row, event = book.add(key, item.source.flag, at)
    return Assigned(item.group, person, item.role, names(row.sources), row.created_at), event


def _take(
    item: AssignmentChange, key: AssignmentKey, book: AssignmentBook, sources: Source
) -> tuple[Unassigned, Event | None]:
    event = book.withdraw(key, sources)
    return Unassigned(group=item.group, user=item.user, role=item.role), event
