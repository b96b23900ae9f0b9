"""What state a row is in: it follows from its sources, its person and its pool, whoever changes it.

One rule: rows are made and changed here and nowhere else, so that no state can contradict what it follows from.
"""

from datetime import datetime
from uuid import UUID

from domain.entitlements import SourceOf, State
from domain.seat_rows import Pool, Seat
from domain.seat_table import SeatFacts, SeatTable


class SeatStates:
    """Rows as one operation after the other makes and changes them."""

    def __init__(self, facts: SeatFacts, at: datetime) -> None:
        self.at = at
        self.facts = facts
        self.table = SeatTable(facts, at)
        self.seq = 0
        self.operation_id = UUID(int=0)

    def source(self, grant_id: int, *, blocked: bool = False) -> SourceOf:
        """A source that this operation makes."""
        return SourceOf(grant_id, blocked, self.seq, self.operation_id, self.at)

    def make(
        self,
        pool: Pool,
        source: SourceOf,
        *,
        user_id: int | None = None,
        email: tuple[str, str] | None = None,
        state: State | None = None,
    ) -> Seat:
        """A row for somebody who has none; `email` is the address as sent and as compared."""
        seat = Seat(
            tenant_id=pool.tenant_id,
            id=next(self.facts.fresh_ids),
            license_id=pool.id,
            user_id=user_id,
            email=email[0] if email else None,
            email_key=email[1] if email else None,
            state=state or self._newcomer(pool, source, user_id),
            asked_seq=self.seq,
            redirect_to=None,
            metadata=None,
            created_at=self.at,
            updated_at=self.at,
            sources=(source,),
        )
        self.table.put(None, seat)
        return seat

    def has_seat_for_newcomer(self, pool: Pool) -> bool:
        """Whoever asks now is given a seat at once."""
        return pool.has_free and not pool.queued and not pool.is_bounded and pool.gives(self.at)

    def change(self, old: Seat, new: Seat, *, reserved: bool = False) -> None:
        """Put the row as it is now, in the state that its sources and its person allow; without a source it ends."""
        after = self._levelled(new) if new.sources else None
        if reserved and after is not None and after.state is State.QUEUED:
            after = after._replace(state=State.ACTIVE)
        self.table.put(old, after)

    def end_seat(self, seat: Seat) -> None:
        """End the row whatever its sources."""
        self.table.put(seat, None)

    def ask_again(self, seat: Seat) -> Seat:
        """The row as one that asks for a seat now, with a new place."""
        return seat._replace(state=State.QUEUED, asked_seq=self.seq)

    def _newcomer(self, pool: Pool, source: SourceOf, user_id: int | None) -> State:
        if user_id is not None and not self.facts.people[user_id].active:
            return State.PARKED
        if source.blocked:
            return State.BLOCKED
        return State.ACTIVE if self.has_seat_for_newcomer(pool) else State.QUEUED

    def _levelled(self, seat: Seat) -> Seat:
        """The row in the state that its sources and its person allow; only who had no place gets a new one."""
        if seat.state is State.SUSPENDED:
            return seat
        if seat.user_id is not None and not self.facts.people[seat.user_id].active:
            return seat._replace(state=State.PARKED)
        if all(source.blocked for source in seat.sources):
            return seat._replace(state=State.BLOCKED)
        if seat.state is State.PARKED:
            return self.ask_again(seat)
        return seat._replace(state=State.QUEUED) if seat.state is State.BLOCKED else seat
