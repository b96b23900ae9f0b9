"""Applies waves of group assignment changes: resolve, plan, apply, with the same statements for 1 item and 5,000."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from domain.assignments import GIVING, AssignmentFacts, plan_assignments
from domain.book import Names
from domain.commands import AssignmentChange, ChangeAssignments
from domain.planning import Decision, Order
from domain.seat_rows import Holder
from infra.postgres.assignments import apply_changes, book_of_pairs, read_facts
from infra.postgres.database import Transaction
from infra.postgres.seats import load_seats
from workers.continuations import reach
from workers.handlers.touching import write_wave

Pair = tuple[int, int, int]
Joins = Counter[tuple[int, int]]


async def change_assignments(
    tx: Transaction, orders: Sequence[Order[ChangeAssignments]], at: datetime
) -> list[Decision]:
    """One decision per command, in order."""
    items = [(o.tenant_id, item) for o in orders for item in o.command.items if isinstance(item, AssignmentChange)]
    facts = await read_facts(
        tx,
        groups=((tenant_id, item.group) for tenant_id, item in items),
        people=((tenant_id, item.user) for tenant_id, item in items),
        roles=((tenant_id, item.role) for tenant_id, item in items),
        running=(order.tenant_id for order in orders),
    )
    pairs, joins = _touched(items, facts)
    touched = {(tenant_id, user_id) for tenant_id, _, user_id in pairs}
    reached = await reach(tx, touched, at) if facts.running else {}
    book = await book_of_pairs(tx, pairs, _names(facts))
    seats = await load_seats(
        tx,
        at=at,
        people=touched,
        joins=joins,
        known=(Holder(person.id, person.key, person.active) for person in facts.people.values()),
    )
    decisions = plan_assignments(orders, facts, book, seats)
    await apply_changes(tx, book.changes())
    return await write_wave(tx, orders, decisions, seats.changes(), reached=reached, at=at)


def _touched(items: Sequence[tuple[int, AssignmentChange]], facts: AssignmentFacts) -> tuple[list[Pair], Joins]:
    """Who is to be looked at in which group, and how many may join each of the groups that are touched."""
    pairs: set[Pair] = set()
    joins: Joins = Counter()
    for tenant_id, item in items:
        group_id = facts.groups.get((tenant_id, item.group))
        if group_id is None:
            continue
        joins[tenant_id, group_id] += item.op in GIVING
        person = facts.people.get((tenant_id, item.user))
        if person is not None:
            pairs.add((tenant_id, group_id, person.id))
    return sorted(pairs), joins


def _names(facts: AssignmentFacts) -> Names:
    return Names(
        groups={group_id: key for (_, key), group_id in facts.groups.items()},
        users={person.id: person.key for person in facts.people.values()},
        roles={role.id: role.key for role in facts.roles.values()},
    )
