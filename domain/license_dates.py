"""What a licence's dates do to its seats: whoever holds one of an expired licence waits for its renewal, in place."""

from collections.abc import Iterable

from domain.entitlements import State
from domain.seats import SeatBook


def expire(seats: SeatBook, rows: Iterable[int | None]) -> None:
    """Send these entitlements back to their places in the waiting lists, where they still hold seats that are over."""
    for number in rows:
        seat = seats.table.rows.get(number or 0)
        if seat is None or seat.state is not State.ACTIVE:
            continue
        if seats.facts.pools[seat.license_id].has_expired(seats.at):
            seats.table.put(seat, seat._replace(state=State.QUEUED))
