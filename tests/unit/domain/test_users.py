"""People put and deleted: names that are taken, freed and swapped, and the memberships that follow."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.book import AssignmentBook, AssignmentKey, Held, Names
from domain.commands import DeleteUsers, PutUsers, UserPut
from domain.errors import ErrorCode, Refusal
from domain.items import InvalidItem
from domain.outcomes import Deleted, Stored
from domain.planning import Order
from domain.seat_table import SeatFacts
from domain.seats import SeatBook
from domain.sources import Source
from domain.users import User, UserBook, UserFacts, plan_delete_users, plan_put_users

AT = datetime(2026, 1, 2, tzinfo=UTC)
SALES, LEGAL, MEMBER = 10, 11, 1_000


def user(number, key, **fields):
    known = {"username": key, "email": None, "first_name": "", "last_name": "", "department": "", "active": True}
    return User(**{"id": number, "key": key, "attributes": "{}", "primary_group_id": None, **known, **fields})


class Wave:
    """Two people of tenant 1, and what a wave of commands makes of them."""

    def __init__(self, *, ann=None, held=()):
        found = {(1, "ann"): user(100, "ann", **(ann or {})), (1, "bob"): user(101, "bob")}
        names = Names(groups={SALES: "sales", LEGAL: "legal"}, users={100: "ann", 101: "bob"}, roles={MEMBER: "member"})
        rows = {AssignmentKey(1, group, 100, MEMBER): Held(sources, AT) for group, sources in held}
        self.users, self.book = UserBook(found), AssignmentBook(rows, names)
        self.seats = SeatBook(SeatFacts(), AT)

    def put(self, *items):
        facts = UserFacts(
            groups={(1, "sales"): SALES, (1, "legal"): LEGAL}, members={1: MEMBER}, fresh_ids=iter(range(500, 600))
        )
        [decision] = plan_put_users([self._order(PutUsers(items=items))], facts, self.users, self.book, self.seats)
        return decision

    def delete(self, *keys):
        [decision] = plan_delete_users([self._order(DeleteUsers(keys=keys))], self.users, self.book, self.seats)
        return decision

    def groups_of_ann(self):
        return {key.group_id: self.book.get(key).sources for key in self.book.of_user(100)}

    def _order(self, command):
        return Order(tenant_id=1, operation_id=UUID(int=1), seq=1, command=command)


def said(decision):
    return [
        outcome.code if isinstance(outcome, Refusal) else type(outcome).__name__ for outcome in decision.result.outcomes
    ]


def heard(decision):
    return [(event.type.value, event.subject) for event in decision.events]


def test_a_newcomer_gets_a_fresh_id_and_is_announced_without_a_name():
    decision = Wave().put(UserPut(key="cid", username="cid", email="cid@x.org", first_name="Cid"))
    assert decision.result.outcomes == [Stored(key="cid", id=500, created=True)]
    [event] = decision.events
    assert (event.subject, event.data) == ("users/cid", {"user": {"id": 500, "key": "cid"}, "active": True})


def test_a_put_that_changes_nothing_is_replaced_and_not_announced():
    decision = Wave().put(UserPut(key="ann", username="ann"))
    assert decision.result.outcomes == [Stored(key="ann", id=100, created=False)]
    assert decision.events == []


@pytest.mark.parametrize("value", [1, 1.0, True, "1"])
def test_attributes_are_compared_as_json_compares_them(value):
    wave = Wave(ann={"attributes": '{"level":1}'})
    decision = wave.put(UserPut(key="ann", username="ann", attributes={"level": value}))
    assert len(decision.events) == (0 if value == 1 and type(value) is int else 1)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (UserPut(key="cid", username="BOB"), ErrorCode.USERNAME_TAKEN),
        (UserPut(key="cid", username="cid", email="A@x.ORG"), ErrorCode.EMAIL_TAKEN),
        (UserPut(key="cid", username="bob", primary_group="moon"), ErrorCode.USER_GROUP_DOES_NOT_EXIST),
        (InvalidItem(field="key", reason="too long"), ErrorCode.INVALID_ITEM),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(item, code):
    wave = Wave(ann={"email": "a@x.org"})
    decision = wave.put(item)
    assert said(decision) == [code]
    assert decision.events == []
    assert wave.users.rows.written() == []


def test_an_empty_email_is_nobodys():
    wave = Wave()
    items = (UserPut(key="cid", username="cid", email=""), UserPut(key="dan", username="dan", email=""))
    assert said(wave.put(*items)) == ["Stored", "Stored"]


def test_names_are_swapped_in_item_order_by_way_of_a_third():
    decision = Wave().put(
        UserPut(key="ann", username="bob"),
        UserPut(key="ann", username="free"),
        UserPut(key="bob", username="ann"),
        UserPut(key="ann", username="bob"),
    )
    assert said(decision) == [ErrorCode.USERNAME_TAKEN, "Stored", "Stored", "Stored"]


def test_ones_own_name_in_other_letters_is_ones_own():
    assert said(Wave(ann={"username": "straße"}).put(UserPut(key="ann", username="STRASSE"))) == ["Stored"]


def test_a_primary_group_gives_the_role_member_and_moves_with_it():
    wave = Wave()
    first = wave.put(UserPut(key="ann", username="ann", primary_group="sales"))
    assert wave.groups_of_ann() == {SALES: Source.PRIMARY}
    assert heard(first)[1] == ("group_assignment.created", "groups/sales/users/ann/roles/member")
    second = wave.put(UserPut(key="ann", username="ann", primary_group="legal"))
    assert wave.groups_of_ann() == {LEGAL: Source.PRIMARY}
    assert [name for name, _ in heard(second)] == [
        "user.updated",
        "group_assignment.created",
        "group_assignment.deleted",
    ]


def test_a_membership_with_another_source_outlives_the_primary_group():
    wave = Wave(ann={"primary_group_id": SALES}, held=[(SALES, Source.PRIMARY | Source.MANUAL)])
    assert [name for name, _ in heard(wave.put(UserPut(key="ann", username="ann")))] == ["user.updated"]
    assert wave.groups_of_ann() == {SALES: Source.MANUAL}


def test_deactivation_takes_everything_and_reactivation_gives_the_primary_group_back():
    wave = Wave(ann={"primary_group_id": SALES}, held=[(SALES, Source.PRIMARY), (LEGAL, Source.MANUAL)])
    gone = wave.put(UserPut(key="ann", username="ann", primary_group="sales", active=False))
    assert wave.groups_of_ann() == {}
    assert len(heard(gone)) == 3
    wave.put(UserPut(key="ann", username="ann", primary_group="sales"))
    assert wave.groups_of_ann() == {SALES: Source.PRIMARY}


def test_a_primary_group_that_changes_while_its_owner_is_inactive_gives_nothing_yet():
    wave = Wave(ann={"primary_group_id": SALES, "active": False})
    wave.put(UserPut(key="ann", username="ann", primary_group="legal", active=False))
    assert wave.groups_of_ann() == {}
    wave.put(UserPut(key="ann", username="ann", primary_group="legal"))
    assert wave.groups_of_ann() == {LEGAL: Source.PRIMARY}


def test_deletion_takes_everything_frees_the_names_and_happens_once():
    wave = Wave(held=[(SALES, Source.MANUAL)])
    decision = wave.delete("ann", "ann", "nobody")
    assert decision.result.outcomes[0] == Deleted(key="ann", id=100)
    assert said(decision) == ["Deleted", ErrorCode.USER_DOES_NOT_EXIST, ErrorCode.USER_DOES_NOT_EXIST]
    assert [name for name, _ in heard(decision)] == ["group_assignment.deleted", "user.deleted"]
    assert said(wave.put(UserPut(key="cid", username="ann"))) == ["Stored"]
