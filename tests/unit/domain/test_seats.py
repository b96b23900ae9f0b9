"""The book of seats by itself: who is next, what is left to others, how two rows of a person become one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.entitlements import DIRECT, SourceOf, State
from domain.license_commands import LicenseKind
from domain.seat_rows import Grant, Group, Holder, Pool, Seat, merged
from domain.seat_table import SeatFacts
from domain.seats import SeatBook

AT = datetime(2026, 1, 2, tzinfo=UTC)
EARLIER = AT - timedelta(days=1)
BY = UUID(int=7)


def source(grant_id=DIRECT, *, seq=1, blocked=False):
    return SourceOf(grant_id, blocked, seq, BY, EARLIER)


def seat(number, state=State.ACTIVE, *, user_id=None, email=None, asked=1, sources=None, **fields):
    known = {"redirect_to": None, "metadata": None, "created_at": EARLIER, "updated_at": EARLIER, **fields}
    return Seat(
        tenant_id=1,
        id=number,
        license_id=50,
        user_id=number + 100 if user_id is None and email is None else user_id,
        email=email,
        email_key=email,
        state=state,
        asked_seq=asked,
        sources=sources or (source(),),
        **known,
    )


def book(*seats, capacity=1, queued=None, horizon=None, **fields):
    """A pool of licence 50 in which these rows are; `queued` more wait than were read."""
    waiting = sum(one.state is State.QUEUED for one in seats)
    pool = Pool(
        tenant_id=1,
        id=50,
        key="a",
        name="A",
        kind=LicenseKind.PROGRAM,
        capacity=capacity,
        used=sum(one.state is State.ACTIVE for one in seats),
        queued=waiting if queued is None else queued,
        waiting=waiting if queued is None else queued,
        **fields,
    )
    grant = Grant(tenant_id=1, id=60, group_id=10, license_id=50, created_at=EARLIER, updated_at=EARLIER)
    people = {number: Holder(number, f"u{number}") for number in range(100, 120)}
    facts = SeatFacts(
        pools={50: pool},
        grants={60: grant},
        groups={10: Group(id=10, key="g", name="G", user_count=3)},
        people=people,
        seats=list(seats),
        fresh_ids=iter(range(900, 950)),
    )
    if horizon is not None:
        facts.horizons[50] = horizon.place
    seats_now = SeatBook(facts, AT)
    seats_now.begin(operation_id=BY, seq=9)
    return seats_now


def heard(events):
    return [(event.type.value, event.data["assignment_id"]) for event in events]


def test_a_freed_seat_goes_to_who_asked_first_and_addresses_wait_behind_people_of_their_operation():
    holder, late, address, early = (
        seat(1),
        seat(2, State.QUEUED, asked=5),
        seat(3, State.QUEUED, email="x@y.example", asked=4),
        seat(4, State.QUEUED, asked=4),
    )
    seats = book(holder, late, address, early)
    seats.end_seat(holder)
    assert heard(seats.drain()) == [("entitlement.revoked", 1), ("entitlement.granted", 4)]
    seats.end_seat(seats.table.rows[4])
    assert heard(seats.drain()) == [("entitlement.granted", 3), ("entitlement.revoked", 4)]
    changes = seats.changes()
    assert [one.id for one in changes.ended] == [1, 4]
    assert [(one.id, one.state) for one in changes.changed] == [(3, State.ACTIVE)]
    assert [moved.by for moved in changes.pools] == [(0, 0, -2, -2)]


def test_who_waits_behind_those_that_were_not_read_is_not_served():
    holder, first, far = seat(1), seat(2, State.QUEUED, asked=2), seat(3, State.QUEUED, asked=8)
    seats = book(holder, first, far, capacity=1, queued=5, horizon=first)
    seats.end_seat(holder)
    assert heard(seats.drain()) == [("entitlement.revoked", 1), ("entitlement.granted", 2)]
    assert seats.changes().unsettled == frozenset()
    seats.end_seat(seats.table.rows[2])
    assert heard(seats.drain()) == [("entitlement.revoked", 2)]
    assert seats.changes().unsettled == {(1, 50)}


def test_a_pool_that_has_promised_its_seats_gives_none_on():
    holder, waiter = seat(1), seat(2, State.QUEUED, asked=2)
    seats = book(holder, waiter, is_bounded=True)
    seats.end_seat(holder)
    assert heard(seats.drain()) == [("entitlement.revoked", 1)]
    assert seats.changes().unsettled == {(1, 50)}
    assert seats.facts.pools[50].available(AT) == 0


def test_an_expired_pool_gives_none_on_and_a_newcomer_waits():
    holder, waiter = seat(1), seat(2, State.QUEUED, asked=2)
    seats = book(holder, waiter, expires_at=AT)
    seats.end_seat(holder)
    seats.make(seats.facts.pools[50], seats.source(DIRECT), user_id=110)
    assert heard(seats.drain()) == [("entitlement.revoked", 1), ("entitlement.waiting", 900)]
    assert seats.changes().unsettled == frozenset()


def test_what_is_taken_and_given_back_leaves_no_trace_but_its_events():
    holder = seat(1)
    seats = book(holder)
    seats.change(holder, holder._replace(state=State.SUSPENDED))
    assert heard(seats.drain()) == [("entitlement.revoked", 1)]
    seats.change(seats.table.rows[1], seats.table.rows[1]._replace(state=State.ACTIVE))
    assert heard(seats.drain()) == [("entitlement.granted", 1)]
    changes = seats.changes()
    assert (changes.made, changes.ended, changes.pools) == ([], [], [])


def test_an_item_that_changes_nothing_says_nothing():
    holder = seat(1)
    seats = book(holder)
    seats.change(holder, holder.without_source(DIRECT).with_source(source()))
    assert seats.drain() == []
    assert seats.end() == []
    assert seats.changes().changed == []


def test_a_conversion_keeps_the_older_of_two_reasons():
    row = seat(1, sources=(source(seq=3), source(60, seq=2)))
    seats = book(row)
    seats.convert(60, row)
    assert seats.table.rows[1].sources == (source(seq=2),)


def test_merging_keeps_the_seat_the_older_place_and_what_only_one_of_them_has():
    held = seat(1, State.QUEUED, asked=5, sources=(source(60, seq=5),), metadata='{"a":1}')
    bound = seat(2, State.ACTIVE, asked=3, redirect_to="https://x.example/", metadata="{}")
    one = merged(held, bound)
    assert (one.id, one.state, one.asked_seq) == (1, State.ACTIVE, 3)
    assert (one.redirect_to, one.metadata) == ("https://x.example/", '{"a":1}')
    assert [given.grant_id for given in one.sources] == [DIRECT, 60]


def test_the_place_of_a_suspended_row_does_not_count():
    held, bound = seat(1, State.SUSPENDED, asked=2), seat(2, State.QUEUED, asked=6)
    assert (merged(held, bound).state, merged(held, bound).asked_seq) == (State.QUEUED, 6)


def test_a_position_is_told_of_what_was_asked_just_now():
    seats = book(seat(1), seat(2, State.QUEUED, asked=2), queued=40)
    made = seats.make(seats.facts.pools[50], seats.source(DIRECT), user_id=115)
    other = seats.make(seats.facts.pools[50], seats.source(DIRECT), user_id=112)
    assert [seats.table.position(one, 9) for one in (made, other)] == [42, 41]
    assert seats.table.position(seats.table.rows[2], 9) is None
