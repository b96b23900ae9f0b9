"""Applies waves of people put and deleted, with the memberships that follow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.book import Names
from domain.commands import DeleteUsers, PutUsers, UserPut
from domain.planning import Decision, Order
from domain.seats import SeatBook
from domain.users import MEMBER, User, UserBook, UserFacts, fold, holder_of, plan_delete_users, plan_put_users
from infra.postgres.assignments import apply_changes, book_of_people, read_facts
from infra.postgres.database import Transaction
from infra.postgres.directory import group_keys, read_users, remove_users, reserve_ids, write_users
from infra.postgres.seats import load_seats
from workers.continuations import reach
from workers.handlers.touching import write_wave

Items = Sequence[tuple[int, UserPut]]


async def put_users(tx: Transaction, orders: Sequence[Order[PutUsers]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    items = [(o.tenant_id, item) for o in orders for item in o.command.items if isinstance(item, UserPut)]
    named = {(tenant_id, item.key) for tenant_id, item in items}
    found = await _read_users(tx, items)
    reached = await reach(tx, ((t, user.id) for (t, key), user in found.items() if (t, key) in named), at)
    if reached:
        found = await _read_users(tx, items)
    said = await read_facts(
        tx,
        groups=((t, item.primary_group) for t, item in items if item.primary_group is not None),
        roles=((order.tenant_id, MEMBER) for order in orders),
    )
    names = Names(
        groups={group_id: key for (_, key), group_id in said.groups.items()},
        roles={role.id: role.key for role in said.roles.values()},
    )
    known = [(tenant_id, user.primary_group_id) for (tenant_id, _), user in found.items() if user.primary_group_id]
    names.groups |= await group_keys(tx, known)
    book = await book_of_people(tx, {(t, u.id): u.key for (t, k), u in found.items() if (t, k) in named}, names)
    facts = UserFacts(
        groups=said.groups,
        members={tenant_id: role.id for (tenant_id, _), role in said.roles.items()},
        fresh_ids=await reserve_ids(tx, "user", len(named - found.keys())),
    )
    seats = await _load_seats(tx, items, found, facts, at)
    users = UserBook(found)
    decisions = plan_put_users(orders, facts, users, book, seats)
    await write_users(tx, users.rows.written())
    await apply_changes(tx, book.changes())
    return await write_wave(tx, orders, decisions, seats.changes(), reached=reached, at=at)


async def delete_users(tx: Transaction, orders: Sequence[Order[DeleteUsers]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    found: dict[tuple[int, str], User] = await read_users(
        tx, keys=((o.tenant_id, k) for o in orders for k in o.command.keys)
    )
    people = {(tenant_id, user.id) for (tenant_id, _), user in found.items()}
    reached = await reach(tx, people, at)
    book = await book_of_people(tx, {(t, user.id): user.key for (t, _), user in found.items()}, Names())
    seats = await load_seats(tx, at=at, holders=people, known=map(holder_of, found.values()))
    users = UserBook(found)
    decisions = plan_delete_users(orders, users, book, seats)
    await apply_changes(tx, book.changes())
    await remove_users(tx, users.rows.removed())
    return await write_wave(tx, orders, decisions, seats.changes(), reached=reached, at=at)


async def _read_users(tx: Transaction, items: Items) -> dict[tuple[int, str], User]:
    return await read_users(
        tx,
        keys=((tenant_id, item.key) for tenant_id, item in items),
        usernames=((tenant_id, item.username) for tenant_id, item in items),
        emails=((tenant_id, item.email) for tenant_id, item in items if item.email),
    )


async def _load_seats(
    tx: Transaction, items: Items, found: Mapping[tuple[int, str], User], facts: UserFacts, at: datetime
) -> SeatBook:
    """What may move: everything of people who come or go, what groups give to those who change theirs, addresses."""
    olds = [(tenant_id, item, found.get((tenant_id, item.key))) for tenant_id, item in items]
    known = [(tenant_id, item, old) for tenant_id, item, old in olds if old is not None]
    joins = Counter((t, facts.groups.get((t, item.primary_group or ""))) for t, item in items)
    return await load_seats(
        tx,
        at=at,
        holders={(t, old.id) for t, item, old in known if not (old.active and item.active and old.email == item.email)},
        people={(tenant_id, old.id) for tenant_id, _, old in known},
        groups=[(tenant_id, old.primary_group_id) for tenant_id, _, old in known if old.primary_group_id is not None],
        joins={(t, group_id): count for (t, group_id), count in joins.items() if group_id is not None},
        emails={(t, fold(item.email)) for t, item, old in olds if item.email and (not old or old.email != item.email)},
        known=map(holder_of, found.values()),
    )
