"""Applies waves of groups and roles put."""

from collections.abc import Sequence
from datetime import datetime

from domain.commands import GroupPut, PutGroups, PutRoles, RolePut
from domain.directory import plan_put_groups, plan_put_roles
from domain.ledger import Ledger
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from infra.postgres.directory import (
    read_groups,
    read_roles,
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
