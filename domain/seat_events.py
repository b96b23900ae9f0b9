"""What a change of an entitlement is called, and how seats and grants are shown in answers. Pure.

One rule: one event at most for what an item has done to a row, named by how the row ended.
"""

import json
from datetime import datetime

from domain.entitlements import Named, State, entitlement_event, group_license_event
from domain.errors import JSON
from domain.events import Event, EventType
from domain.outcomes import timestamp
from domain.seat_rows import Grant, Holder, Pool, Seat
from domain.seat_table import SeatFacts

_WAITS = frozenset({State.QUEUED, State.BLOCKED, State.PARKED})


def seat_event(facts: SeatFacts, before: Seat | None, after: Seat | None) -> Event | None:
    """The event of a row that was `before` and is `after`; None where nobody could see a difference.

    A row that ends names the sources that it had.
    """
    if before is None and after is None:
        return None
    if after is None:
        return None if before is None else _event(facts, EventType.ENTITLEMENT_REVOKED, before, "ended")
    if before is not None and before.state is after.state:
        if not _differs(before, after):
            return None
        return _event(facts, EventType.LICENSE_ASSIGNMENT_UPDATED, after, after.state.shown)
    return _event(facts, _type_of_state(before, after), after, after.state.shown)


def grant_event(facts: SeatFacts, grant: Grant, at: datetime) -> Event:
    """A grant as it is now."""
    group, pool, counts = facts.groups[grant.group_id], facts.pools[grant.license_id], grant.counts
    return group_license_event(
        license_of=pool.named,
        group=group.named,
        assignment_id=grant.id,
        active=grant.active,
        counts={
            "user_count": group.user_count,
            "assigned": counts.assigned,
            "waiting": counts.waiting,
            "suspended": counts.suspended,
        },
        ready=not grant.hold and pool.has_started(at),
        deleted=grant.is_removed,
    )


def groups_of(facts: SeatFacts, seat: Seat) -> list[Named]:
    """The groups that give this seat, in id order; one that is being deleted has the key that it had."""
    if len(seat.sources) == 1 and seat.direct is not None:
        return []
    ids = sorted({facts.grants[source.grant_id].group_id for source in seat.sources if source.grant_id})
    return [facts.groups[number].named for number in ids if facts.groups[number].key is not None]


def seat_document(facts: SeatFacts, seat: Seat, at: datetime) -> dict[str, JSON]:
    """The seat as answers show it."""
    pool = facts.pools[seat.license_id]
    person = None if seat.user_id is None else facts.people[seat.user_id]
    shown: dict[str, JSON] = {
        "id": seat.id,
        "state": seat.state.shown,
        "user": None if person is None else _person(person),
        "email": seat.email,
        "license": _license(pool),
        "direct": seat.direct is not None,
        "groups": [group.document for group in groups_of(facts, seat)],
        "redirect_to": seat.redirect_to,
        "metadata": None if seat.metadata is None else json.loads(seat.metadata),
        "created_at": timestamp(seat.created_at),
        "modified_at": timestamp(seat.updated_at),
        "fulfilled": is_fulfilled(pool, seat, at),
    }
    return shown


def removed_document(facts: SeatFacts, seat: Seat) -> dict[str, JSON]:
    """A direct assignment that has been taken away, as answers show it."""
    person = None if seat.user_id is None else facts.people[seat.user_id]
    shown: dict[str, JSON] = {
        "id": seat.id,
        "license": facts.pools[seat.license_id].named.document,
        "user": None if person is None else Named(person.id, person.key).document,
    }
    return shown if seat.email is None else shown | {"email": seat.email}


def is_fulfilled(pool: Pool, seat: Seat, at: datetime) -> bool:
    """The seat is held, its person is known, and the licence has started."""
    return seat.state is State.ACTIVE and seat.user_id is not None and pool.has_started(at)


def _type_of_state(before: Seat | None, after: Seat) -> EventType:
    if after.state is State.ACTIVE:
        return EventType.ENTITLEMENT_GRANTED
    if after.state in _WAITS:
        return EventType.ENTITLEMENT_WAITING
    # A row that is made suspended has never held a seat nor waited for one.
    return EventType.LICENSE_ASSIGNMENT_UPDATED if before is None else EventType.ENTITLEMENT_REVOKED


def _differs(before: Seat, after: Seat) -> bool:
    return (
        before.redirect_to != after.redirect_to
        or before.metadata != after.metadata
        or before.user_id != after.user_id
        or [source.grant_id for source in before.sources] != [source.grant_id for source in after.sources]
    )


def _event(facts: SeatFacts, event_type: EventType, seat: Seat, state: str) -> Event:
    person = None if seat.user_id is None else facts.people[seat.user_id]
    return entitlement_event(
        event_type,
        license_of=facts.pools[seat.license_id].named,
        user=None if person is None else Named(person.id, person.key),
        assignment_id=seat.id,
        state=state,
        groups=groups_of(facts, seat),
        direct=seat.direct is not None,
    )


def _person(person: Holder) -> dict[str, JSON]:
    return {
        "id": person.id,
        "key": person.key,
        "username": person.username,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "active": person.active,
    }


def _license(pool: Pool) -> dict[str, JSON]:
    return {
        "id": pool.id,
        "key": pool.key,
        "name": pool.name,
        "kind": pool.kind.value,
        "program_key": pool.program_key,
        "program_name": pool.program_name,
        "starts_at": None if pool.starts_at is None else timestamp(pool.starts_at),
    }
