"""Groups and roles put and deleted: what is in use stays, or goes with all that it gives."""

from datetime import UTC, datetime
from uuid import UUID

from domain.book import AssignmentBook, AssignmentKey, Held, Names
from domain.commands import DeleteGroups, DeleteRoles, GroupPut, PutGroups, PutRoles, RolePut
from domain.directory import (
    DirectoryRole,
    Group,
    plan_delete_groups,
    plan_delete_roles,
    plan_put_groups,
    plan_put_roles,
)
from domain.errors import ErrorCode, Refusal
from domain.items import InvalidItem
from domain.ledger import Ledger
from domain.outcomes import Deleted, Stored
from domain.planning import Order
from domain.sources import Source

AT = datetime(2026, 1, 2, tzinfo=UTC)


def order(command, tenant_id=1):
    return Order(tenant_id=tenant_id, operation_id=UUID(int=1), seq=1, command=command)


def groups(*, in_use=True):
    return Ledger({(1, "sales"): Group(id=10, key="sales", name="Sales", user_count=2, is_in_use=in_use)})


def roles(*, in_use=True):
    rows = [
        DirectoryRole(
            id=number,
            key=key,
            permission_scope="USER_GROUPS",
            titles={"en": "A"},
            descriptions={},
            is_in_use=in_use,
        )
        for number, key in ((1_000, "lead"), (1_001, "member"))
    ]
    return Ledger({(1, row.key): row for row in rows})


def book():
    names = Names(groups={10: "sales"}, users={100: "ann", 101: "bob"}, roles={1_000: "lead", 1_001: "member"})
    rows = [AssignmentKey(1, 10, 100, 1_000), AssignmentKey(1, 10, 100, 1_001), AssignmentKey(1, 10, 101, 1_000)]
    return AssignmentBook({row: Held(Source.RULE, AT) for row in rows}, names)


def codes(decision):
    return [outcome.code if isinstance(outcome, Refusal) else None for outcome in decision.result.outcomes]


def test_groups_are_created_renamed_and_left_alone():
    items = (
        GroupPut(key="legal", name="Legal"),
        GroupPut(key="sales", name="Sales"),
        GroupPut(key="sales", name="Selling"),
        InvalidItem(field="name", reason="missing"),
    )
    [decision] = plan_put_groups([order(PutGroups(items=items))], groups(), iter([77]))
    assert decision.result.outcomes[:3] == [
        Stored(key="legal", id=77, created=True, user_count=0),
        Stored(key="sales", id=10, created=False, user_count=2),
        Stored(key="sales", id=10, created=False, user_count=2),
    ]
    assert codes(decision)[3] is ErrorCode.INVALID_ITEM
    assert [event.data for event in decision.events] == [
        {"group": {"id": 77, "key": "legal"}},
        {"group": {"id": 10, "key": "sales"}},
    ]


def test_a_key_that_comes_twice_in_a_wave_is_created_once():
    puts = [order(PutGroups(items=(GroupPut(key="legal", name=name),))) for name in ("Legal", "Law")]
    ledger = groups()
    first, second = plan_put_groups(puts, ledger, iter([77, 78]))
    assert first.result.outcomes[0].created
    assert second.result.outcomes[0] == Stored(key="legal", id=77, created=False, user_count=0)
    assert ledger.written() == [(1, Group(id=77, key="legal", name="Law"))]


def test_the_same_key_of_two_tenants_is_two_groups():
    puts = [order(PutGroups(items=(GroupPut(key="legal", name="L"),)), tenant_id) for tenant_id in (1, 2)]
    decisions = plan_put_groups(puts, groups(), iter([77, 78]))
    assert [decision.result.outcomes[0].id for decision in decisions] == [77, 78]


def test_roles_are_put_without_an_event():
    items = (
        RolePut(key="lead", permission_scope="ACCOUNT", titles={"en": "L"}),
        RolePut(key="new", permission_scope="USER_GROUPS", titles={"en": "N"}),
    )
    ledger = roles()
    [decision] = plan_put_roles([order(PutRoles(items=items))], ledger, iter([77]))
    assert decision.result.outcomes == [
        Stored(key="lead", id=1_000, created=False),
        Stored(key="new", id=77, created=True),
    ]
    assert decision.events == []
    assert [row.permission_scope for _, row in ledger.written()] == ["USER_GROUPS", "ACCOUNT"]


def test_a_group_in_use_stays_and_says_how_many_are_in_it():
    [decision] = plan_delete_groups([order(DeleteGroups(keys=("sales", "moon")))], groups())
    assert codes(decision) == [ErrorCode.USER_GROUP_IN_USE, ErrorCode.USER_GROUP_DOES_NOT_EXIST]
    assert decision.result.outcomes[0].details == {"user_count": 2}


def test_with_a_cascade_a_groups_key_is_gone_at_once():
    ledger = groups()
    [decision] = plan_delete_groups([order(DeleteGroups(keys=("sales", "sales"), cascade=True))], ledger)
    assert decision.result.outcomes[0] == Deleted(key="sales", id=10)
    assert codes(decision)[1] is ErrorCode.USER_GROUP_DOES_NOT_EXIST
    assert [event.type for event in decision.events] == ["group.deleted"]
    assert ledger.removed() == [(1, 10)]


def test_a_group_that_nobody_uses_needs_no_cascade():
    [decision] = plan_delete_groups([order(DeleteGroups(keys=("sales",)))], groups(in_use=False))
    assert codes(decision) == [None]


def test_a_role_in_use_stays_and_the_built_in_one_always_does():
    [decision] = plan_delete_roles([order(DeleteRoles(keys=("lead", "member", "moon")))], roles())
    assert codes(decision) == [ErrorCode.ROLE_IN_USE, ErrorCode.ROLE_IS_BUILT_IN, ErrorCode.ROLE_DOES_NOT_EXIST]
    [cascade] = plan_delete_roles([order(DeleteRoles(keys=("member",), cascade=True))], roles(in_use=False))
    assert codes(cascade) == [ErrorCode.ROLE_IS_BUILT_IN]


def test_a_role_in_use_goes_with_a_cascade():
    ledger = roles()
    [decision] = plan_delete_roles([order(DeleteRoles(keys=("lead",), cascade=True))], ledger)
    assert decision.result.outcomes == [Deleted(key="lead", id=1_000)]
    assert ledger.removed() == [(1, 1_000)]


def test_the_built_in_role_keeps_its_scope_and_may_have_other_titles():
    items = tuple(
        RolePut(key="member", permission_scope=scope, titles={"en": "Fellow"}) for scope in ("ACCOUNT", "USER_GROUPS")
    )
    ledger = roles()
    [decision] = plan_put_roles([order(PutRoles(items=items))], ledger, iter(()))
    assert codes(decision) == [ErrorCode.ROLE_IS_BUILT_IN, None]
    assert [(row.permission_scope, row.titles) for _, row in ledger.written()] == [("USER_GROUPS", {"en": "Fellow"})]
