"""Applies waves of direct assignments and direct bundles, with the same statements for 1 item and 5,000."""

from collections.abc import Sequence
from datetime import datetime

from domain.license_commands import ChangeSeats, ReplaceUserBundles, SeatChange
from domain.planning import Decision, Order
from domain.seat_changes import plan_seat_changes
from domain.user_bundles import plan_user_bundles
from domain.users import fold
from infra.postgres.database import Transaction
from infra.postgres.seat_names import Sent, find_bundles, people_of_assignments, read_names
from infra.postgres.seats import load_seats
from workers.continuations import reach
from workers.handlers.touching import write_wave

Items = Sequence[tuple[int, SeatChange]]


async def change_seats(tx: Transaction, orders: Sequence[Order[ChangeSeats]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    items = [(o.tenant_id, item) for o in orders for item in o.command.items if isinstance(item, SeatChange)]
    sent = _sent(items)
    names, people = await read_names(tx, sent)
    assignments = {(t, item.assignment_id) for t, item in items if item.assignment_id is not None}
    touched = {*people, *await people_of_assignments(tx, assignments)}
    reached = await reach(tx, touched, at)
    seats = await load_seats(
        tx,
        at=at,
        people=touched,
        licenses={
            *((tenant_id, number) for (tenant_id, _), number in names.licenses.items()),
            *((tenant_id, item.license_id) for tenant_id, item in items if item.license_id is not None),
        },
        emails=sent.emails - names.emails.keys(),
        assignments=assignments,
        newcomers=sum(item.assignment_id is None for _, item in items),
        known=people.values(),
    )
    decisions = plan_seat_changes(orders, names, seats)
    return await write_wave(tx, orders, decisions, seats.changes(), reached=reached, at=at)


async def replace_user_bundles(
    tx: Transaction, orders: Sequence[Order[ReplaceUserBundles]], at: datetime
) -> list[Decision]:
    """One decision per command, in order."""
    named = {(order.tenant_id, key) for order in orders for key in order.command.users}
    names, people = await read_names(tx, Sent(keys=named))
    reached = await reach(tx, people, at)
    seats = await load_seats(
        tx,
        at=at,
        people=people,
        licenses=await find_bundles(tx, (order.tenant_id for order in orders)),
        newcomers=sum(len(order.command.users) * len(order.command.codes) for order in orders),
        known=people.values(),
    )
    known = {place: people[place[0], number] for place, number in names.keys.items()}
    decisions = plan_user_bundles(orders, known, seats)
    return await write_wave(tx, orders, decisions, seats.changes(), reached=reached, at=at)


def _sent(items: Items) -> Sent:
    sent = Sent()
    for tenant_id, item in items:
        if item.license is not None:
            sent.licenses.add((tenant_id, item.license))
        if item.user is not None:
            sent.keys.add((tenant_id, item.user))
        elif item.user_id is not None:
            sent.ids.add((tenant_id, item.user_id))
        elif item.username is not None:
            sent.usernames.add((tenant_id, fold(item.username)))
        if item.email is not None:
            sent.emails.add((tenant_id, fold(item.email)))
    return sent
