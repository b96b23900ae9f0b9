"""Decides direct assignments of licences, item by item, on facts that were read once for the whole wave.

The order of checks: licence, person, person active, licence active, licence expired, seat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from domain.entitlements import DIRECT, State
from domain.errors import JSON, ErrorCode, Refusal
from domain.events import Event
from domain.items import InvalidItem
from domain.license_commands import ChangeSeats, LicenseKind, SeatChange, SeatOp, Shortage
from domain.outcomes import Outcome, Reported, Result
from domain.planning import Decision, Order, in_order, refusal_of
from domain.seat_events import groups_of, removed_document, seat_document
from domain.seat_names import SeatNames
from domain.seat_rows import Pool, Seat
from domain.seats import SeatBook
from domain.users import compact, fold


class _Asked(NamedTuple):
    """One item, understood: whose seat of which pool, and what there is of it."""

    change: SeatChange
    shortage: Shortage
    pool: Pool
    user_id: int | None
    seat: Seat | None

    @property
    def active(self) -> bool | None:
        """What the item wants the assignment to be; None: as it is, or active where it is new."""
        return True if self.change.op is SeatOp.ASSIGN else _flag(self.change.sent, "active")


Decided = tuple[Outcome, Sequence[Event]]


def plan_seat_changes(orders: Sequence[Order[ChangeSeats]], names: SeatNames, seats: SeatBook) -> list[Decision]:
    """Decide every command in turn; `seats` holds the net effect afterwards."""
    wave = _Wave(names=names, seats=seats)
    return [wave.decide(order) for order in orders]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wave:
    names: SeatNames
    seats: SeatBook

    def decide(self, order: Order[ChangeSeats]) -> Decision:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        self.seats.begin(operation_id=order.operation_id, seq=order.seq)
        for item in order.command.items:
            outcome, followed = self._item(order, item)
            outcomes.append(outcome)
            events += followed
        events += self.seats.end()
        return Decision(result=Result(outcomes=outcomes, titles={}), events=in_order(events))

    def _item(self, order: Order[ChangeSeats], item: SeatChange | InvalidItem) -> Decided:
        if isinstance(item, InvalidItem):
            return refusal_of(item), ()
        asked = self._understood(order, item)
        if isinstance(asked, Refusal):
            return asked, ()
        match item.op:
            case SeatOp.UNASSIGN | SeatOp.REMOVE:
                return self._remove(asked)
            case SeatOp.ASSIGN | SeatOp.SET:
                return self._set(asked)
            case _:
                assert_never(item.op)

    def _understood(self, order: Order[ChangeSeats], item: SeatChange) -> _Asked | Refusal:
        tenant_id, facts = order.tenant_id, self.seats.facts
        if item.op is SeatOp.REMOVE:
            return self._of_id(order, item)
        by_key = item.license is not None
        number = self.names.licenses.get((tenant_id, item.license or "")) if by_key else item.license_id
        pool = facts.pools.get(number or 0)
        is_hidden = item.op is SeatOp.SET and pool is not None and pool.kind is not LicenseKind.PROGRAM
        if pool is None or pool.tenant_id != tenant_id or is_hidden:
            return Refusal(code=ErrorCode.LICENSE_DOES_NOT_EXIST, field="license" if by_key else "license_id")
        person = self.names.person(tenant_id, item)
        if isinstance(person, Refusal):
            return person
        if person is not None:
            seat = self.seats.table.of_person(pool.id, person)
        else:
            seat = self.seats.table.of_address(pool.id, fold(item.email or ""))
        return _Asked(item, order.command.shortage, pool, person, seat)

    def _of_id(self, order: Order[ChangeSeats], item: SeatChange) -> _Asked | Refusal:
        seat = self.seats.table.rows.get(item.assignment_id or 0)
        pool = None if seat is None else self.seats.facts.pools[seat.license_id]
        if seat is None or pool is None or seat.tenant_id != order.tenant_id or pool.kind is not LicenseKind.PROGRAM:
            return Refusal(code=ErrorCode.LICENSE_ASSIGNMENT_DOES_NOT_EXIST, field="assignment_id")
        return _Asked(item, order.command.shortage, pool, seat.user_id, seat)

    def _set(self, asked: _Asked) -> Decided:
        seat = asked.seat
        is_indirect = _flag(asked.change.sent, "direct") is False
        if is_indirect and (seat is None or not _has_groups(seat)):
            return Refusal(code=ErrorCode.NO_GROUP_SOURCE, field="direct"), ()
        if asked.active is False:
            return self._suspend(asked)
        is_revived = seat is not None and seat.state is State.SUSPENDED and asked.active is True
        is_new = not is_indirect and (seat is None or seat.direct is None)
        if is_new or is_revived:
            refusal = self._lacks(asked)
            if refusal is not None:
                return refusal, ()
        available = asked.pool.available(self.seats.at)
        if seat is None:
            seat = self._make(asked)
        else:
            after = self.seats.ask_again(seat) if is_revived else seat
            after = after.with_source(self.seats.source(DIRECT)) if is_new else after
            self.seats.change(seat, _with_fields(after, asked.change.sent))
        return self._shown(seat, created=is_new, available=available)

    def _make(self, asked: _Asked, state: State | None = None) -> Seat:
        email = asked.change.email or ""
        seat = self.seats.make(
            asked.pool,
            self.seats.source(DIRECT),
            user_id=asked.user_id,
            email=None if asked.user_id is not None else (email, fold(email)),
            state=state,
        )
        self.seats.table.retouch(_with_fields(seat, asked.change.sent))
        return seat

    def _lacks(self, asked: _Asked) -> Refusal | None:
        """Why the person cannot be given a seat, or a place in the waiting list."""
        pool, at = asked.pool, self.seats.at
        person = None if asked.user_id is None else self.seats.facts.people[asked.user_id]
        if person is not None and not person.active:
            return Refusal(code=ErrorCode.USER_IS_NOT_ACTIVE, field=_field_of_person(asked.change))
        if not pool.active:
            return Refusal(code=ErrorCode.LICENSE_IS_NOT_ACTIVE, field=_field_of_license(asked.change))
        if pool.has_expired(at):
            return Refusal(code=ErrorCode.LICENSE_EXPIRED, field=_field_of_license(asked.change))
        has_one = asked.seat is not None and asked.seat.state is State.ACTIVE
        waits = asked.shortage is Shortage.WAITLIST or pool.capacity is None
        if has_one or waits or self.seats.has_seat_for_newcomer(pool):
            return None
        details: dict[str, JSON] = {"requested": 1, "available": pool.available(at)}
        return Refusal(code=ErrorCode.NOT_ENOUGH_SEATS, details=details)

    def _suspend(self, asked: _Asked) -> Decided:
        """The direct assignment is not to be active: it ends where groups give the seat, else its row is kept."""
        seat, sent = asked.seat, asked.change.sent
        if seat is None:
            return self._shown(self._make(asked, State.SUSPENDED), created=True)
        if seat.direct is None:
            return self._inherited(seat, "active"), ()
        after = seat._replace(state=State.SUSPENDED)
        if _has_groups(seat) and seat.state is not State.SUSPENDED:
            after = seat.without_source(DIRECT)
        self.seats.change(seat, _with_fields(after, sent))
        return self._shown(seat, created=False)

    def _remove(self, asked: _Asked) -> Decided:
        seat = asked.seat
        if seat is None:
            return Refusal(code=ErrorCode.LICENSE_ASSIGNMENT_DOES_NOT_EXIST), ()
        if seat.direct is None:
            return self._inherited(seat, None if asked.change.assignment_id is None else "assignment_id"), ()
        self.seats.withdraw_direct(seat)
        removed = Reported("seat_removed", removed_document(self.seats.facts, seat))
        return removed, self.seats.drain()

    def _inherited(self, seat: Seat, field: str | None) -> Refusal:
        groups: list[JSON] = [group.document for group in groups_of(self.seats.facts, seat)]
        return Refusal(code=ErrorCode.INHERITED_ASSIGNMENT, field=field, details={"groups": groups})

    def _shown(self, seat: Seat, *, created: bool, **more: JSON) -> Decided:
        """The seat as it is once the item has ended."""
        events = self.seats.drain()
        after = self.seats.table.rows[seat.id]
        shown = seat_document(self.seats.facts, after, self.seats.at)
        position = self.seats.table.position(after, self.seats.seq)
        if position is not None:
            shown["position"] = position
        return Reported("seat", {"created": created, "seat": shown, **more}), events


def _with_fields(seat: Seat, sent: Mapping[str, JSON]) -> Seat:
    """The row with the fields that were sent; null clears."""
    if "redirect_to" in sent:
        redirect_to = sent["redirect_to"]
        seat = seat._replace(redirect_to=None if redirect_to is None else str(redirect_to))
    if "metadata" in sent:
        metadata = sent["metadata"]
        seat = seat._replace(metadata=compact(metadata) if isinstance(metadata, dict) else None)
    return seat


def _flag(sent: Mapping[str, JSON], name: str) -> bool | None:
    value = sent.get(name)
    return value if isinstance(value, bool) else None


def _has_groups(seat: Seat) -> bool:
    return any(source.grant_id != DIRECT for source in seat.sources)


def _field_of_license(change: SeatChange) -> str:
    return "license" if change.license is not None else "license_id"


def _field_of_person(change: SeatChange) -> str:
    names = ("user", "user_id", "username")
    return next((name for name in names if getattr(change, name) is not None), "email")
