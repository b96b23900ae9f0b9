"""Places in a quota that come free while its fan-out still runs, and seats for those whom a risen quota lets in.

One rule: a place goes to whoever has been behind the quota for longest, whether the fan-out has come to them or not.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.continuations import Continuation, Continuing
from domain.events import Told
from domain.fan_out import admit
from domain.seat_rows import Pool
from domain.seat_writes import SeatChanges
from domain.seats import SeatBook
from infra.postgres.continuations import move_continuations
from infra.postgres.database import Transaction
from infra.postgres.group_bundles import Beyond, next_beyond
from infra.postgres.seat_writes import write_seats
from infra.postgres.seats import load_seats


def places_freed(changes: SeatChanges, running: Sequence[Continuation]) -> list[tuple[Continuation, int]]:
    """The fan-outs that have promised their quotas' places, and how many of these have come free."""
    freed = {moved.id: -moved.by[0] for moved in changes.grants if moved.by[0] < 0}
    bounded = [one for one in running if one.kind is Continuing.GIVE and one.quota_boundary is not None]
    return [(one, freed[one.target.id]) for one in bounded if one.target.id in freed]


async def let_in(tx: Transaction, of: Continuation, freed: int, at: datetime) -> list[Told]:
    """Move the boundary of a quota by so many places; who has been reached gets theirs at once, or waits for a seat."""
    beyond = await next_beyond(tx, of, freed)
    was = of.quota_boundary
    of.quota_boundary = _boundary(of, beyond, freed)
    if of.boundary is None and any(one.entitlement_id is None for one in beyond):
        # Seats are held back for members up to here; those behind ask for theirs now.
        of.boundary = was
    ids = [one.entitlement_id for one in beyond if one.entitlement_id is not None]
    told: list[Told] = []
    if ids:
        told = await _admit(tx, of, ids, at)
    await move_continuations(tx, [(of, 0)])
    return told


def hold(book: SeatBook, pool: Pool, of: Continuation) -> None:
    """Hold back all free seats until everybody has been let in."""
    if pool.capacity is not None:
        book.stir(pool)
        free = pool.capacity - pool.used - pool.reserved
        pool.reserved += free
        of.reserved += free


def _boundary(of: Continuation, beyond: Sequence[Beyond], freed: int) -> int | None:
    """The last member of the fan-out who has a place now; None where all of them have."""
    if len(beyond) < freed or beyond[-1].seq > of.operation_seq:
        return None
    return max((one.user_id for one in beyond if one.seq == of.operation_seq), default=of.quota_boundary)


async def _admit(tx: Transaction, of: Continuation, ids: Sequence[int], at: datetime) -> list[Told]:
    book = await load_seats(
        tx,
        at=at,
        assignments=[(of.tenant_id, number) for number in ids],
        licenses=[(of.tenant_id, of.license_id or 0)],
        grants=[(of.tenant_id, of.target.id)],
    )
    book.begin(operation_id=of.operation_id, seq=of.operation_seq)
    # What is held back is for others.
    pool = book.facts.pools[of.license_id or 0]
    pool.is_bounded = pool.is_bounded or of.boundary is not None
    admit(book, of, [book.table.rows[number] for number in ids])
    told: list[Told] = [*book.drain(), *book.end()]
    await write_seats(tx, book.changes())
    return told
