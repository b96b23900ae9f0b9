"""The model on small examples, each a sentence of the contract: licences of groups, bundles and their quotas."""

import pytest

from domain.commands import DeleteGroups
from domain.license_commands import (
    DeleteLicenses,
    RemoveGroupLicense,
    ReplaceGroupBundles,
    ReplaceUserBundles,
    ReprocessGroup,
    SetGroupLicense,
)
from tests.support.modelled import Modelled

ACTIVE, QUEUED, BLOCKED, SUSPENDED = 1, 2, 3, 5


@pytest.fixture
def tenant():
    tenant = Modelled(people=4)
    tenant.pool(capacity=3, program_key="p", program_name="P")
    tenant.join("g1", "u1", "u2")
    return tenant


def give(tenant, group="g1", **sent):
    command = SetGroupLicense(license_id=tenant.license_id(), group_id=tenant.group_id(group), sent=sent)
    return tenant.run(command)[0]


def remove(tenant, group="g1", *, remove_users=True):
    return tenant.run(RemoveGroupLicense(assignment_id=tenant.grant_id(group), remove_users=remove_users))[0]


def test_a_group_gets_the_licence_for_every_member_and_for_whoever_joins(tenant):
    shown = give(tenant)
    assert (shown["requested"], shown["available"], shown["would_wait"]) == (2, 3, 0)
    assert shown["group_license"]["fulfilled"]
    tenant.join("g1", "u3", "u4")
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE, "u3": ACTIVE, "u4": QUEUED}
    assert tenant.heard()[-4:] == [
        "group_license.updated",
        "license.utilisation",
        "license.utilisation",
        "license.exhausted",
    ]


def test_too_few_seats_are_refused_whole_unless_members_may_wait(tenant):
    tenant.pool(capacity=1, program_key="p", program_name="P")
    assert give(tenant)["details"] == {"requested": 2, "available": 1}
    assert tenant.states() == {}
    shown = give(tenant, shortage="waitlist")
    assert (shown["would_wait"], shown["group_license"]["waiting_count"]) == (1, 1)
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}


def test_one_seat_however_many_sources_until_the_last_goes(tenant):
    tenant.assign("u1")
    give(tenant)
    tenant.join("g2", "u1")
    assert give(tenant, "g2")["requested"] == 0
    assert tenant.sources("u1") == {"direct", "g1", "g2"}
    tenant.leave("g1", "u1")
    assert tenant.unassign("u1")[0]["outcome"] == "seat_removed"
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE}
    remove(tenant, "g2")
    assert tenant.states() == {"u2": ACTIVE}


def test_a_seat_that_only_groups_give_is_not_taken_from_the_person(tenant):
    give(tenant)
    refusal = tenant.unassign("u1")[0]
    assert (refusal["code"], len(refusal["details"]["groups"])) == ("INHERITED_ASSIGNMENT", 1)
    assert tenant.change("u1", active=False)["code"] == "INHERITED_ASSIGNMENT"
    assert tenant.change("u3", direct=False)["code"] == "NO_GROUP_SOURCE"
    assert tenant.change("u1", direct=False, metadata={})["seat"]["direct"] is False


def test_withdrawing_keeps_the_row_and_holding_stores_without_giving(tenant):
    give(tenant, hold=True)
    assert tenant.states() == {}
    assert give(tenant, hold=False)["group_license"]["assigned_count"] == 2
    shown = give(tenant, active=False)
    assert (shown["created"], shown["group_license"]["assigned_count"]) == (False, 0)
    assert tenant.states() == {}


def test_removal_can_leave_the_members_what_they_have(tenant):
    tenant.assign("u1")
    give(tenant)
    remove(tenant, remove_users=False)
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE}
    assert tenant.sources("u1") == tenant.sources("u2") == {"direct"}


def test_a_suspended_seat_is_not_revived_by_a_group_until_its_direct_source_ends(tenant):
    tenant.change("u1", active=False)
    assert give(tenant)["requested"] == 1
    assert tenant.states() == {"u1": SUSPENDED, "u2": ACTIVE}
    tenant.unassign("u1")
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE}


def test_a_person_who_moves_between_groups_with_the_same_licence_keeps_the_seat(tenant):
    tenant.pool(capacity=1, program_key="p", program_name="P")
    tenant.leave("g1", "u1", "u2")
    tenant.user("u1", primary_group="g1")
    give(tenant)
    give(tenant, "g2")
    tenant.assign("u2", waitlist=True)
    tenant.user("u1", primary_group="g2")
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}
    assert "entitlement.revoked" not in tenant.heard()


def test_deleting_a_group_or_a_licence_takes_what_hangs_on_it(tenant):
    give(tenant)
    assert tenant.run(DeleteLicenses(keys=("l1",)))[0]["code"] == "LICENSE_IN_USE"
    tenant.run(DeleteGroups(keys=("g1",), cascade=True))
    assert tenant.states() == {}
    assert tenant.run(DeleteLicenses(keys=("l1",)))[0]["outcome"] == "deleted"
    assert tenant.heard() == ["license.updated"]


def test_licences_of_groups_that_go_together_are_told_of_in_the_order_of_the_groups(tenant):
    tenant.leave("g1", "u1", "u2")
    give(tenant)
    give(tenant, "g2")
    tenant.run(DeleteGroups(keys=("g2", "g1")))
    assert tenant.heard() == ["group_license.updated"] * 2 + ["group.deleted"] * 2
    told = [event["subject"] for event in tenant.model.events if event["type"] == "group_license.updated"]
    assert told[-2:] == ["groups/g2/licenses/l1", "groups/g1/licenses/l1"]


def bundles(tenant, *codes, group="g1", **quotas):
    return tenant.run(ReplaceGroupBundles(group=group, codes=codes, quotas=quotas))[0]


@pytest.fixture
def account(tenant):
    tenant.pool("b1", 3, code="ACNU")
    return tenant


def test_codes_are_checked_before_anything_is_given(account):
    assert bundles(account, "NONSENSE")["code"] == "UNKNOWN_BUNDLE_CODE"
    assert bundles(account, "IDU")["details"] == {"codes": {"IDU": {"requested": 2, "available": 0}}}
    assert bundles(account, IDU=1)["code"] == "QUOTA_WITHOUT_BUNDLE"
    assert bundles(account, "ACNU", "IDU")["code"] == "QUANTITIES_EXCEEDED"
    assert account.states("b1") == {}


def test_members_beyond_the_quota_wait_for_a_place_in_it(account):
    account.join("g1", "u3")
    assert bundles(account, "ACNU", ACNU=2)["demand"]["ACNU"]["requested"] == 2
    assert account.states("b1") == {"u1": ACTIVE, "u2": ACTIVE, "u3": BLOCKED}
    account.leave("g1", "u1")
    assert account.states("b1") == {"u2": ACTIVE, "u3": ACTIVE}
    assert bundles(account, "ACNU", ACNU=1)["details"] == {"codes": {"ACNU": {"limit": 1, "current_usage": 2}}}


def test_without_a_quota_everybody_is_let_in(account):
    bundles(account, "ACNU", ACNU=1)
    assert account.states("b1") == {"u1": ACTIVE, "u2": BLOCKED}
    bundles(account, "ACNU")
    assert account.states("b1") == {"u1": ACTIVE, "u2": ACTIVE}


def test_a_set_is_replaced_as_a_whole(account):
    account.pool("b2", 2, code="HOUSE")
    bundles(account, "ACNU")
    bundles(account, "HOUSE")
    assert (account.states("b1"), account.states("b2")) == ({}, {"u1": ACTIVE, "u2": ACTIVE})


def test_direct_codes_are_replaced_and_inherited_ones_stay(account):
    bundles(account, "ACNU")
    account.run(ReplaceUserBundles(users=("u1", "u3"), codes=("ACNU",)))
    assert account.sources("u1", "b1") == {"direct", "g1"}
    account.run(ReplaceUserBundles(users=("u1", "u3"), codes=()))
    assert account.states("b1") == {"u1": ACTIVE, "u2": ACTIVE}


def test_reprocessing_finds_nothing_to_do(account):
    bundles(account, "ACNU")
    [shown] = account.run(ReprocessGroup(group="g1"))
    assert (shown["user_count"], shown["given"], shown["taken"]) == (2, 0, 0)
