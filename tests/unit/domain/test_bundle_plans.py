"""What becomes of a group's bundles, without a database: differences, refusals in order, events as of one hand."""

from datetime import UTC, datetime

import pytest

from domain.bundle_plans import BundlePlan, together
from domain.entitlements import Named, PoolCounts, pool_events
from domain.errors import ErrorCode
from domain.events import Event, EventRun, EventType
from domain.license_commands import LicenseKind, ReplaceGroupBundles
from domain.seat_rows import Grant, Group, Pool
from domain.user_bundles import Demand

AT = datetime(2026, 1, 1, tzinfo=UTC)


def plan(*codes, quotas=None, held=None, members=5):
    """The group has `held` (quotas by code); there are licences of A, B and C."""
    pools = {
        code: Pool(tenant_id=1, id=n, key=code, name=code, kind=LicenseKind.BUNDLE, capacity=9, code=code)
        for n, code in enumerate("ABC")
    }
    grants = {
        code: Grant(tenant_id=1, id=n, group_id=7, license_id=pools[code].id, quota=quota, created_at=AT, updated_at=AT)
        for n, (code, quota) in enumerate((held or {}).items(), start=1)
    }
    command = ReplaceGroupBundles(group="g", codes=codes, quotas=quotas or {})
    return BundlePlan(
        command=command, pools=pools, group=Group(id=7, key="g", name="G", user_count=members), grants=grants
    )


def test_the_difference_is_what_ends_what_is_limited_and_what_begins():
    of = plan("C", "A", "A", quotas={"A": 4}, held={"A": 2, "B": None})
    assert of.codes == ["C", "A"]
    assert of.added == ["C"]
    assert [grant.license_id for grant in of.gone] == [1]
    assert [(grant.license_id, quota) for grant, quota in of.limited] == [(0, 4)]


def test_only_quotas_that_do_not_suffice_for_all_have_a_last_member():
    assert plan("A", "B", "C", quotas={"A": 4, "B": 5}).places == [4]


@pytest.mark.parametrize(
    ("codes", "quotas", "code"),
    [
        (("A", "NONSENSE"), {"B": 1}, ErrorCode.UNKNOWN_BUNDLE_CODE),
        (("A",), {"B": 1}, ErrorCode.QUOTA_WITHOUT_BUNDLE),
    ],
)
def test_codes_are_looked_at_before_quotas(codes, quotas, code):
    assert plan(*codes, quotas=quotas).refusal_of_form().code is code


def test_quantities_are_looked_at_before_usage_and_usage_counts_who_is_still_to_be_reached():
    of = plan("A", "B", quotas={"A": 3}, held={"A": 4})
    assert of.refusal_of_quantities({"B": Demand(5, 4)}).code is ErrorCode.QUANTITIES_EXCEEDED
    refusal = of.refusal_of_quantities({"B": Demand(5, 5)})
    assert (refusal.code, refusal.details) == (
        ErrorCode.QUOTA_BELOW_USAGE,
        {"codes": {"A": {"limit": 3, "current_usage": 4}}},
    )
    assert plan("A", quotas={"A": 5}, held={"A": None}).refusal_of_quantities({}) is None


def test_what_several_undertakings_tell_is_told_as_by_one():
    def row(event_type, number):
        return Event(type=event_type, subject=f"s{number}", data={"assignment_id": number})

    def filled(number):
        before = PoolCounts(capacity=1, used=0, reserved=0, queued=0, waiting=0)
        after = PoolCounts(capacity=1, used=1, reserved=0, queued=0, waiting=0)
        return pool_events(Named(number, f"l{number}"), before, after)

    ended, again = row(EventType.ENTITLEMENT_REVOKED, 9), row(EventType.ENTITLEMENT_REVOKED, 2)
    made = EventRun(type=EventType.ENTITLEMENT_GRANTED, subjects=["new"], data=["{}"])
    older = row(EventType.ENTITLEMENT_GRANTED, 3)
    told = together([ended, *filled(2), made, again, *filled(1), older])
    assert told[:4] == [again, ended, older, made]
    assert [event.subject for event in told[4:6]] == ["licenses/l1"] * 2
    assert {event.subject for event in told[4:]} == {"licenses/l1", "licenses/l2"}
