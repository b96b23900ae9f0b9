"""Changes of group assignments: the published order of checks, the four verbs, and what a batch does to itself."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.assignments import AssignmentFacts, Person, Role, plan_assignments
from domain.book import AssignmentBook, AssignmentKey, Held, Names
from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.errors import ErrorCode, Refusal
from domain.events import EventType
from domain.items import InvalidItem
from domain.outcomes import Assigned, Unassigned
from domain.planning import Order
from domain.seat_table import SeatFacts
from domain.seats import SeatBook
from domain.sources import Source, SourceName

AT = datetime(2026, 1, 2, tzinfo=UTC)
CREATE, DELETE, ASSIGN, UNASSIGN = (
    AssignmentOp.CREATE,
    AssignmentOp.DELETE,
    AssignmentOp.ASSIGN,
    AssignmentOp.UNASSIGN,
)
FACTS = AssignmentFacts(
    groups={(1, "sales"): 10},
    people={
        (1, "ann"): Person(id=100, key="ann", active=True, first_name="Ann", last_name="Lee", department="Sales"),
        (1, "gone"): Person(id=101, key="gone", active=False),
    },
    roles={
        (1, "lead"): Role(id=1_000, key="lead", permission_scope="USER_GROUPS", titles={"en": "Lead"}),
        (1, "payer"): Role(id=1_001, key="payer", permission_scope="ACCOUNT", titles={"en": "Payer"}),
    },
)
KEY = AssignmentKey(1, 10, 100, 1_000)
EXISTS = ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS
MISSING = ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST


def change(op=CREATE, *, group="sales", user="ann", role="lead", source=SourceName.MANUAL):
    return AssignmentChange(op=op, group=group, user=user, role=role, source=source)


def book(sources=None):
    names = Names(groups={10: "sales"}, users={100: "ann", 101: "gone"}, roles={1_000: "lead", 1_001: "payer"})
    return AssignmentBook({} if sources is None else {KEY: Held(sources, AT)}, names)


def decide(*items, found=None, assignable=None, tenant_id=1):
    command = ChangeAssignments(items=items, assignable=assignable)
    order = Order(tenant_id=tenant_id, operation_id=UUID(int=1), seq=1, command=command)
    [decision] = plan_assignments([order], FACTS, book(found), SeatBook(SeatFacts(), AT))
    return decision


def codes(decision):
    return [outcome.code if isinstance(outcome, Refusal) else None for outcome in decision.result.outcomes]


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        (InvalidItem(field="user_id", reason="missing"), ErrorCode.INVALID_ITEM, "user_id"),
        (change(group="no", user="no", role="no"), ErrorCode.USER_GROUP_DOES_NOT_EXIST, "group_id"),
        (change(user="no", role="no"), ErrorCode.USER_DOES_NOT_EXIST, "user_id"),
        (change(user="gone", role="no"), ErrorCode.ROLE_DOES_NOT_EXIST, "role_id"),
        (change(user="gone", role="payer"), ErrorCode.ROLE_HAS_WRONG_PERMISSION_SCOPE, "role_id"),
        (change(user="gone"), ErrorCode.USER_IS_NOT_ACTIVE, "user_id"),
        (change(), ErrorCode.ROLE_NOT_ASSIGNABLE, "role_id"),
    ],
)
def test_of_everything_that_is_wrong_the_first_in_the_published_order_is_said(item, code, field):
    decision = decide(item, found=Source.MANUAL, assignable=())
    [refusal] = decision.result.outcomes
    assert (refusal.code, refusal.field) == (code, field)
    assert decision.events == []


@pytest.mark.parametrize("op", [DELETE, UNASSIGN])
def test_taking_away_asks_neither_for_the_scope_nor_for_an_active_person(op):
    assert codes(decide(change(op, role="payer"), change(op, user="gone"))) == [MISSING, MISSING]


def test_rows_of_another_tenant_do_not_exist():
    assert codes(decide(change(), tenant_id=2)) == [ErrorCode.USER_GROUP_DOES_NOT_EXIST]


@pytest.mark.parametrize(
    ("op", "source", "found", "code"),
    [
        (CREATE, SourceName.MANUAL, None, None),
        (CREATE, SourceName.MANUAL, Source.SCIM, EXISTS),
        (ASSIGN, SourceName.RULE, Source.MANUAL, None),
        (ASSIGN, SourceName.RULE, Source.RULE, EXISTS),
        (DELETE, SourceName.MANUAL, None, MISSING),
        (DELETE, SourceName.MANUAL, Source.SCIM, None),
        (DELETE, SourceName.MANUAL, Source.MANUAL | Source.RULE, ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN),
        (DELETE, SourceName.MANUAL, Source.PRIMARY, ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN),
        (UNASSIGN, SourceName.RULE, None, MISSING),
        (UNASSIGN, SourceName.RULE, Source.MANUAL, MISSING),
        (UNASSIGN, SourceName.RULE, Source.MANUAL | Source.RULE, None),
    ],
)
def test_whole_rows_are_created_and_deleted_single_sources_assigned_and_unassigned(op, source, found, code):
    assert codes(decide(change(op, source=source), found=found)) == [code]


def test_the_outcome_shows_the_person_all_sources_and_the_titles_of_the_role():
    decision = decide(change(ASSIGN, source=SourceName.RULE), found=Source.MANUAL)
    [assigned] = decision.result.outcomes
    assert isinstance(assigned, Assigned)
    assert (assigned.user.first_name, assigned.user.department) == ("Ann", "Sales")
    assert assigned.sources == ("RULE", "MANUAL")
    assert decision.result.titles == {"lead": {"en": "Lead"}}


def test_of_duplicates_in_a_batch_the_first_wins():
    decision = decide(change(), change(), change(DELETE), change(DELETE))
    assert codes(decision) == [None, EXISTS, None, MISSING]
    assert [event.type for event in decision.events] == [
        EventType.GROUP_ASSIGNMENT_CREATED,
        EventType.GROUP_ASSIGNMENT_DELETED,
    ]


def test_unassigning_one_of_two_sources_says_that_the_row_stays_by_saying_nothing():
    decision = decide(change(UNASSIGN, source=SourceName.RULE), found=Source.MANUAL | Source.RULE)
    assert decision.result.outcomes == [Unassigned(group="sales", user="ann", role="lead")]
    assert decision.events == []


def test_commands_of_a_wave_are_decided_one_on_the_other():
    orders = [
        Order(tenant_id=1, operation_id=UUID(int=n), seq=n, command=ChangeAssignments(items=(change(op),)))
        for n, op in enumerate([CREATE, CREATE, DELETE, CREATE])
    ]
    shared = book()
    decisions = plan_assignments(orders, FACTS, shared, SeatBook(SeatFacts(), AT))
    assert [codes(decision) for decision in decisions] == [[None], [EXISTS], [None], [None]]
    assert shared.changes().created == {KEY: Held(Source.MANUAL, AT)}
