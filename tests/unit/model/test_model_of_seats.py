"""The model on small examples, each a sentence of the contract: direct seats, waiting, people who come and go."""

from datetime import timedelta

import pytest

from domain.commands import DeleteUsers
from domain.license_commands import ChangeSeats, CheckLicenses, SeatChange, SeatOp, Shortage
from tests.support.modelled import NOON, Modelled

ACTIVE, QUEUED, PARKED, SUSPENDED = 1, 2, 4, 5


@pytest.fixture
def tenant():
    tenant = Modelled()
    tenant.pool(capacity=1, program_key="p", program_name="P")
    return tenant


def test_without_a_free_seat_a_direct_request_is_refused_and_changes_nothing(tenant):
    [given, refusal] = tenant.assign("u1", "u2")
    assert given["seat"]["state"] == "active"
    assert (refusal["code"], refusal["details"]) == ("NOT_ENOUGH_SEATS", {"requested": 1, "available": 0})
    assert tenant.states() == {"u1": ACTIVE}


def test_who_waits_is_next_when_a_seat_comes_free(tenant):
    waiting = tenant.assign("u3", "u2", "u1", waitlist=True)
    assert [one["seat"].get("position") for one in waiting] == [None, 1, 1]
    tenant.unassign("u3")
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}
    assert tenant.heard() == ["entitlement.revoked", "entitlement.granted"]


def test_who_asked_earlier_is_served_earlier(tenant):
    tenant.assign("u3", waitlist=True)
    tenant.assign("u2", waitlist=True)
    tenant.assign("u1", waitlist=True)
    tenant.pool(capacity=2)
    assert tenant.states() == {"u1": QUEUED, "u2": ACTIVE, "u3": ACTIVE}


def test_setting_active_false_gives_the_seat_back_and_keeps_the_row(tenant):
    tenant.assign("u1", "u2", waitlist=True)
    shown = tenant.change("u1", active=False)["seat"]
    assert (shown["state"], shown["direct"], shown["fulfilled"]) == ("suspended", True, False)
    assert tenant.states() == {"u1": SUSPENDED, "u2": ACTIVE}
    assert tenant.change("u1", active=True)["code"] == "NOT_ENOUGH_SEATS"
    assert tenant.change("u1", metadata={"a": 1})["seat"]["state"] == "suspended"


def test_only_what_was_sent_is_changed_and_null_clears(tenant):
    tenant.change("u1", redirect_to="https://x.org", metadata={"a": 1})
    tenant.change("u1", metadata=None)
    shown = tenant.change("u1")["seat"]
    assert (shown["redirect_to"], shown["metadata"]) == ("https://x.org", None)
    assert tenant.heard() == []


def test_deactivation_parks_a_direct_seat_and_reactivation_asks_anew(tenant):
    tenant.assign("u1", "u2", waitlist=True)
    tenant.user("u1", active=False)
    assert tenant.states() == {"u1": PARKED, "u2": ACTIVE}
    tenant.user("u1")
    assert tenant.states() == {"u1": QUEUED, "u2": ACTIVE}


def test_deleting_a_person_frees_what_they_held(tenant):
    tenant.assign("u1", "u2", waitlist=True)
    tenant.run(DeleteUsers(keys=("u1",)))
    assert tenant.states() == {"u2": ACTIVE}


def mail(address, shortage=Shortage.REJECT):
    return ChangeSeats(items=(SeatChange(op=SeatOp.ASSIGN, license="l1", email=address),), shortage=shortage)


def test_a_seat_for_an_address_is_its_persons_as_soon_as_there_is_one(tenant):
    [first] = tenant.run(mail("A@x.org"))
    assert (first["seat"]["user"], first["seat"]["email"], first["seat"]["fulfilled"]) == (None, "A@x.org", False)
    tenant.user("u1", email="a@X.org")
    assert tenant.states() == {"u1": ACTIVE}
    assert tenant.heard() == ["user.updated", "license_assignment.updated"]
    [again] = tenant.run(mail("a@x.ORG"))
    assert (again["created"], again["seat"]["id"]) == (False, first["seat"]["id"])


def test_who_held_the_licence_already_merges_with_their_address(tenant):
    tenant.pool(capacity=2)
    tenant.run(mail("a@x.org"))
    [mine] = tenant.assign("u1")
    tenant.assign("u2", waitlist=True)
    tenant.user("u1", email="a@x.org")
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE}
    assert tenant.model.entitlement_rows()["l1", "u1"]["id"] == mine["seat"]["id"]
    assert tenant.heard() == ["user.updated", "entitlement.revoked", "entitlement.granted"]


def test_who_waited_later_takes_the_older_place_of_their_address(tenant):
    tenant.assign("u3", waitlist=True)
    tenant.run(mail("a@x.org", Shortage.WAITLIST))
    tenant.assign("u2", waitlist=True)
    tenant.assign("u1", waitlist=True)
    tenant.user("u1", email="a@x.org")
    tenant.unassign("u3")
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}


def test_capacity_below_the_seats_in_use_is_refused(tenant):
    tenant.assign("u1")
    assert tenant.pool(capacity=0)["details"] == {"used": 1}


def test_an_inactive_pool_keeps_its_holders_and_gives_nothing(tenant):
    tenant.assign("u1", "u2", waitlist=True)
    tenant.pool(capacity=3, active=False)
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}
    assert tenant.assign("u3")[0]["code"] == "LICENSE_IS_NOT_ACTIVE"
    tenant.pool(capacity=3)
    assert tenant.states() == {"u1": ACTIVE, "u2": ACTIVE}


def test_expiry_puts_holders_back_in_their_places_and_renewal_serves_them(tenant):
    tenant.assign("u2", "u1", waitlist=True)
    tenant.pool(expires_at=NOON)
    assert tenant.states() == {"u1": QUEUED, "u2": ACTIVE}
    assert tenant.assign("u3")[0]["code"] == "LICENSE_EXPIRED"
    tenant.run(CheckLicenses(license_ids=(tenant.license_id(),)))
    assert tenant.states() == {"u1": QUEUED, "u2": QUEUED}
    tenant.pool(expires_at=NOON + timedelta(seconds=1))
    assert tenant.states() == {"u1": ACTIVE, "u2": QUEUED}


def test_a_licence_that_starts_later_is_held_at_once_and_unfulfilled_until_then(tenant):
    tenant.pool(starts_at=NOON + timedelta(days=1))
    [given] = tenant.assign("u1")
    assert (given["seat"]["state"], given["seat"]["fulfilled"]) == ("active", False)


def test_an_operation_says_once_how_full_it_has_made_the_pool(tenant):
    tenant.pool(capacity=4)
    tenant.assign("u1", "u2", "u3")
    assert tenant.heard() == ["entitlement.granted"] * 3 + ["license.utilisation"]
    assert tenant.model.events[-2]["data"]["percent"] == 75
