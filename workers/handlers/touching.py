"""What every wave that moves seats has in common: whoever it touches is reached first, what it frees is given on last.

One rule: what is told of earlier operations comes before a tenant's first decision, what is given on after its last.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.planning import Decision, Order, Reached
from domain.seat_writes import SeatChanges
from infra.postgres.database import Transaction
from infra.postgres.seat_writes import write_seats
from workers.settling import Cause, settle

Told = Mapping[int, Sequence[Reached]]


async def write_wave(
    tx: Transaction,
    orders: Sequence[Order[Any]],
    decisions: Sequence[Decision],
    changes: SeatChanges,
    *,
    reached: Told,
    at: datetime,
) -> list[Decision]:
    """Write the wave's seats and give on what it could not; returns the decisions with what has been told of others.

    `reached` is what `workers.continuations.reach` has returned at the wave's beginning.
    """
    await write_seats(tx, changes)
    complete = list(decisions)
    firsts = {order.tenant_id: place for place, order in reversed(list(enumerate(orders)))}
    for tenant_id, earlier in reached.items():
        place = firsts[tenant_id]
        complete[place] = dataclasses.replace(complete[place], reached=[*earlier, *complete[place].reached])
    if changes.unsettled or changes.unsettled_grants:
        await _settle(tx, orders, complete, changes, at)
    return complete


async def _settle(
    tx: Transaction, orders: Sequence[Order[Any]], decisions: list[Decision], changes: SeatChanges, at: datetime
) -> None:
    lasts = {order.tenant_id: place for place, order in enumerate(orders)}
    causes = {order.tenant_id: Cause(order.operation_id, order.seq) for order in orders}
    for tenant_id, settled in (await settle(tx, changes, causes, at)).items():
        last = decisions[lasts[tenant_id]]
        done = last.done or len(last.result.outcomes)
        decisions[lasts[tenant_id]] = dataclasses.replace(
            last, events=[*last.events, *settled.told], done=done, total=done + settled.left
        )
