"""The order in which one operation announces what it did."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.assignments import AssignmentFacts, Person, Role, plan_assignments
from domain.book import AssignmentBook, AssignmentKey, Held, Names
from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.events import EventType
from domain.planning import Order
from domain.seat_table import SeatFacts
from domain.seats import SeatBook
from domain.sources import Source

AT = datetime(2026, 1, 2, tzinfo=UTC)
TENANT, GROUP, ANN, BOB, LEAD = 1, 2, 3, 4, 5
CREATED, DELETED = EventType.GROUP_ASSIGNMENT_CREATED, EventType.GROUP_ASSIGNMENT_DELETED


def announced(*changes, held=()):
    people = {(TENANT, key): Person(id=number, key=key, active=True) for key, number in (("ann", ANN), ("bob", BOB))}
    facts = AssignmentFacts(
        groups={(TENANT, "sales"): GROUP},
        people=people,
        roles={(TENANT, "lead"): Role(id=LEAD, key="lead", permission_scope="USER_GROUPS", titles={})},
    )
    names = Names(groups={GROUP: "sales"}, users={ANN: "ann", BOB: "bob"}, roles={LEAD: "lead"})
    rows = {AssignmentKey(TENANT, GROUP, user, LEAD): Held(Source.MANUAL, AT) for user in held}
    items = tuple(AssignmentChange(op=op, group="sales", user=user, role="lead") for op, user in changes)
    order = Order(tenant_id=TENANT, operation_id=uuid4(), seq=1, command=ChangeAssignments(items=items))
    [decision] = plan_assignments([order], facts, AssignmentBook(rows, names), SeatBook(SeatFacts(), AT))
    return [(event.type, event.subject.split("/")[3]) for event in decision.events]


def test_different_subjects_are_announced_by_type():
    changes = [(AssignmentOp.UNASSIGN, "ann"), (AssignmentOp.ASSIGN, "bob")]
    assert announced(*changes, held=[ANN]) == [(CREATED, "bob"), (DELETED, "ann")]


def test_what_is_taken_away_and_given_again_is_announced_in_that_order():
    changes = [(AssignmentOp.UNASSIGN, "ann"), (AssignmentOp.ASSIGN, "bob"), (AssignmentOp.ASSIGN, "ann")]
    assert announced(*changes, held=[ANN]) == [(CREATED, "bob"), (DELETED, "ann"), (CREATED, "ann")]


def test_what_comes_and_goes_and_comes_again_ends_as_it_is():
    give, take = (AssignmentOp.ASSIGN, "ann"), (AssignmentOp.UNASSIGN, "ann")
    assert announced(give, take, give) == [(CREATED, "ann"), (DELETED, "ann"), (CREATED, "ann")]
