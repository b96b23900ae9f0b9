"""What the deletion of a group, a role or a licence takes from the people it comes to.

One rule: the row of what is deleted is gone already; its id and key stand in the continuation.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.book import MemberKey
from domain.cascades import told_of_taken
from domain.continuations import Continuation, Continuing
from domain.events import Told
from domain.license_commands import LicenseKind
from domain.seat_rows import Group, Pool
from domain.seats import SeatBook
from infra.postgres.cascades import (
    forget_primary_group,
    leaving_with_role,
    read_grants_of,
    remove_grants_of,
    take_from_group,
    take_role,
)
from infra.postgres.continuation_people import Person
from infra.postgres.database import Transaction
from infra.postgres.seats import load_seats

CASCADES = frozenset({Continuing.DELETE_GROUP, Continuing.DELETE_ROLE, Continuing.DELETE_LICENSE})


async def open_cascade(tx: Transaction, of: Continuation, people: Sequence[Person], at: datetime) -> SeatBook:
    """The seats that the cascade may touch; whatever it deletes has a name in it."""
    if of.kind is Continuing.DELETE_LICENSE:
        return await _open_license(tx, of, people, at)
    if of.kind is Continuing.DELETE_GROUP:
        book = await _open_groups(tx, of, [of.target.id], [one.user_id for one in people], at)
        known = book.facts.groups.get(of.target.id)
        if known is None or known.key is None:
            book.facts.groups[of.target.id] = Group(id=of.target.id, key=of.target.key, name="", user_count=0)
        return book
    left = await leaving_with_role(tx, of, people)
    return await _open_groups(tx, of, [m.group_id for m in left], [m.user_id for m in left], at)


async def serve_group(tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    """Take their roles in the group, what the group gave them, and the group as their primary one."""
    taken = await take_from_group(tx, of, people)
    await forget_primary_group(tx, of, people)
    _leave(book, (MemberKey(of.tenant_id, of.target.id, one.user_id) for one in people))
    return [told_of_taken(taken)] if taken else []


async def serve_role(tx: Transaction, book: SeatBook, of: Continuation, people: Sequence[Person]) -> list[Told]:
    """Take the role from them everywhere; where it was their last one, what the group gave them goes too."""
    left = await leaving_with_role(tx, of, people)
    taken = await take_role(tx, of, people)
    for member in left:
        group = book.facts.groups.get(member.group_id)
        if group is not None:
            group.user_count -= 1
    _leave(book, left)
    return [told_of_taken(taken)] if taken else []


async def serve_license(_tx: Transaction, book: SeatBook, _of: Continuation, people: Sequence[Person]) -> list[Told]:
    """End their rows, whatever gave them."""
    for one in people:
        seat = book.table.rows.get(one.entitlement_id or 0)
        if seat is not None:
            book.end_seat(seat)
    return []


async def finish_cascade(tx: Transaction, of: Continuation) -> None:
    """The grants that went along are not needed any more."""
    if of.kind is Continuing.DELETE_GROUP:
        await remove_grants_of(tx, of.tenant_id, group_id=of.target.id)
    elif of.kind is Continuing.DELETE_LICENSE:
        await remove_grants_of(tx, of.tenant_id, license_id=of.target.id)


async def _open_groups(
    tx: Transaction, of: Continuation, group_ids: Iterable[int], user_ids: Iterable[int], at: datetime
) -> SeatBook:
    grants = await read_grants_of(tx, of.tenant_id, groups=group_ids)
    return await load_seats(
        tx,
        at=at,
        people=[(of.tenant_id, user_id) for user_id in user_ids],
        licenses=[(of.tenant_id, grant.license_id) for grant in grants],
        grants=[(of.tenant_id, grant.id) for grant in grants],
    )


async def _open_license(tx: Transaction, of: Continuation, people: Sequence[Person], at: datetime) -> SeatBook:
    grants = await read_grants_of(tx, of.tenant_id, license_id=of.target.id)
    gone = Pool(
        tenant_id=of.tenant_id,
        id=of.target.id,
        key=of.target.key,
        name="",
        kind=LicenseKind.PROGRAM,
        capacity=None,
        active=False,
    )
    rows = [(of.tenant_id, one.entitlement_id) for one in people if one.entitlement_id is not None]
    return await load_seats(
        tx, at=at, assignments=rows, grants=[(of.tenant_id, grant.id) for grant in grants], pools=[gone]
    )


def _leave(book: SeatBook, members: Iterable[MemberKey]) -> None:
    """Take what their groups gave them, also by grants that are being taken away."""
    of_group: dict[int, list[tuple[int, int]]] = {}
    for grant in book.facts.grants.values():
        of_group.setdefault(grant.group_id, []).append((grant.id, grant.license_id))
    for member in members:
        for grant_id, license_id in of_group.get(member.group_id, ()):
            seat = book.table.of_person(license_id, member.user_id)
            if seat is not None and seat.source(grant_id) is not None:
                book.change(seat, seat.without_source(grant_id))
