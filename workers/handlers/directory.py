"""Applies waves of groups and roles put and deleted, with the assignments that go with them."""

from collections.abc import Sequence
from datetime import datetime

from domain.commands import DeleteGroups, DeleteRoles, GroupPut, PutGroups, PutRoles, RolePut
from domain.directory import plan_delete_groups, plan_delete_roles, plan_put_groups, plan_put_roles
from domain.ledger import Ledger
from domain.planning import Decision, Order
from infra.postgres.assignments import apply_changes, book_beside_roles, book_of_groups
from infra.postgres.database import Transaction
from infra.postgres.directory import (
    read_groups,
    read_roles,
    remove_groups,
    remove_roles,
    reserve_ids,
    write_groups,
    write_roles,
)


async def put_groups(tx: Transaction, orders: Sequence[Order[PutGroups]], _at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    named = {(o.tenant_id, item.key) for o in orders for item in o.command.items if isinstance(item, GroupPut)}
    found = await read_groups(tx, named)
    groups = Ledger(found)
    decisions = plan_put_groups(orders, groups, await reserve_ids(tx, "group", len(named - found.keys())))
    await write_groups(tx, groups.written())
    return decisions


async def put_roles(tx: Transaction, orders: Sequence[Order[PutRoles]], _at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    named = {(o.tenant_id, item.key) for o in orders for item in o.command.items if isinstance(item, RolePut)}
    found = await read_roles(tx, named)
    roles = Ledger(found)
    decisions = plan_put_roles(orders, roles, await reserve_ids(tx, "role", len(named - found.keys())))
    await write_roles(tx, roles.written())
    return decisions


async def delete_groups(tx: Transaction, orders: Sequence[Order[DeleteGroups]], _at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    found = await read_groups(tx, ((order.tenant_id, key) for order in orders for key in order.command.keys))
    cascaded = {(o.tenant_id, key) for o in orders if o.command.cascade for key in o.command.keys}
    book = await book_of_groups(tx, {(t, group.id): key for (t, key), group in found.items() if (t, key) in cascaded})
    groups = Ledger(found)
    decisions = plan_delete_groups(orders, groups, book)
    await apply_changes(tx, book.changes())
    await remove_groups(tx, groups.removed())
    return decisions


async def delete_roles(tx: Transaction, orders: Sequence[Order[DeleteRoles]], _at: datetime) -> list[Decision]:
    """One decision per command, in order."""
    found = await read_roles(tx, ((order.tenant_id, key) for order in orders for key in order.command.keys))
    cascaded = {(o.tenant_id, key) for o in orders if o.command.cascade for key in o.command.keys}
    book = await book_beside_roles(tx, [(t, role.id) for (t, key), role in found.items() if (t, key) in cascaded])
    roles = Ledger(found)
    decisions = plan_delete_roles(orders, roles, book)
    await apply_changes(tx, book.changes())
    await remove_roles(tx, roles.removed())
    return decisions
