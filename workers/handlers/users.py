"""Applies waves of people put and deleted, with the memberships that follow."""

from collections.abc import Sequence
from datetime import datetime

from domain.book import Names
from domain.commands import DeleteUsers, PutUsers, UserPut
from domain.planning import Decision, Order
from domain.users import MEMBER, User, UserBook, UserFacts, plan_delete_users, plan_put_users
from infra.postgres.assignments import apply_changes, book_of_people, find_groups, find_roles
from infra.postgres.database import Transaction
from infra.postgres.directory import group_keys, read_users, remove_users, reserve_ids, write_users


async def put_users(tx: Transaction, orders: Sequence[Order[PutUsers]], at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    items = [(o.tenant_id, item) for o in orders for item in o.command.items if isinstance(item, UserPut)]
    found = await read_users(
        tx,
        keys=((tenant_id, item.key) for tenant_id, item in items),
        usernames=((tenant_id, item.username) for tenant_id, item in items),
        emails=((tenant_id, item.email) for tenant_id, item in items if item.email),
    )
    groups = await find_groups(tx, {(t, item.primary_group) for t, item in items if item.primary_group is not None})
    members = await find_roles(tx, {(order.tenant_id, MEMBER) for order in orders})
    names = Names(
        groups={group_id: key for (_, key), group_id in groups.items()},
        roles={role.id: role.key for role in members.values()},
    )
    known = [(tenant_id, user.primary_group_id) for (tenant_id, _), user in found.items() if user.primary_group_id]
    names.groups |= await group_keys(tx, known)
    named = {(tenant_id, item.key) for tenant_id, item in items}
    book = await book_of_people(tx, {(t, u.id): u.key for (t, k), u in found.items() if (t, k) in named}, names)
    facts = UserFacts(
        groups=groups,
        members={tenant_id: role.id for (tenant_id, _), role in members.items()},
        fresh_ids=await reserve_ids(tx, "user", len(named - found.keys())),
    )
    users = UserBook(found)
    decisions = plan_put_users(orders, facts, users, book, at)
    await write_users(tx, users.rows.written())
    await apply_changes(tx, book.changes())
    return decisions


async def delete_users(tx: Transaction, orders: Sequence[Order[DeleteUsers]], _at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    found: dict[tuple[int, str], User] = await read_users(
        tx, keys=((o.tenant_id, k) for o in orders for k in o.command.keys)
    )
    book = await book_of_people(tx, {(t, user.id): user.key for (t, _), user in found.items()}, Names())
    users = UserBook(found)
    decisions = plan_delete_users(orders, users, book)
    await apply_changes(tx, book.changes())
    await remove_users(tx, users.rows.removed())
    return decisions
