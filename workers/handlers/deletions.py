"""Applies deletions of groups and roles, and of licences with all that they give.

One rule: what is deleted is gone at once; what it gave, to however many people, is taken away in chunks.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from domain.commands import DeleteGroups, DeleteRoles
from domain.continuations import Continuation, Continuing
from domain.directory import plan_delete_groups, plan_delete_roles
from domain.entitlements import Named, PoolCounts, license_event
from domain.errors import ErrorCode, Refusal
from domain.events import ORDER, Event, Told
from domain.ledger import Ledger
from domain.license_commands import DeleteLicenses
from domain.licenses import License
from domain.outcomes import Deleted, Outcome, Result
from domain.planning import Decision, Order
from infra.postgres.cascades import count_of_license, count_of_role, mark_grants_removed
from infra.postgres.continuations import work_left
from infra.postgres.database import Transaction
from infra.postgres.directory import read_groups, read_roles, remove_groups, remove_roles
from infra.postgres.licenses import forget_dates, in_use, read_licenses, remove_licenses
from workers.chunk_sizes import ChunkSizes
from workers.handlers.licenses import delete_licenses
from workers.undertaking import Undertaking, carry_out, prepare, take_over


class Deletions:
    """The handlers of deletions, which know how much one pass may do of them."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def groups(self, tx: Transaction, orders: Sequence[Order[DeleteGroups]], at: datetime) -> list[Decision]:
        """One decision per command, in order."""
        found = await read_groups(tx, ((order.tenant_id, key) for order in orders for key in order.command.keys))
        ledger = Ledger(found)
        decisions = plan_delete_groups(orders, ledger)
        for place, order in enumerate(orders):
            gone = [found[order.tenant_id, one.key] for one in _deleted(decisions[place])]
            used = [group for group in gone if group.is_in_use or group.has_grants]
            works = [
                _work(order, Continuing.DELETE_GROUP, Named(group.id, group.key), total=group.user_count)
                for group in used
            ]
            decisions[place] = await self._cascade(tx, order, decisions[place], works, at)
        await remove_groups(tx, ledger.removed())
        return decisions

    async def roles(self, tx: Transaction, orders: Sequence[Order[DeleteRoles]], at: datetime) -> list[Decision]:
        """One decision per command, in order."""
        found = await read_roles(tx, ((order.tenant_id, key) for order in orders for key in order.command.keys))
        ledger = Ledger(found)
        decisions = plan_delete_roles(orders, ledger)
        for place, order in enumerate(orders):
            gone = [found[order.tenant_id, one.key] for one in _deleted(decisions[place])]
            works = [
                _work(
                    order,
                    Continuing.DELETE_ROLE,
                    Named(role.id, role.key),
                    total=await count_of_role(tx, order.tenant_id, role.id),
                )
                for role in gone
                if role.is_in_use
            ]
            decisions[place] = await self._cascade(tx, order, decisions[place], works, at)
        await remove_roles(tx, ledger.removed())
        return decisions

    async def licenses(self, tx: Transaction, orders: Sequence[Order[DeleteLicenses]], at: datetime) -> list[Decision]:
        """One decision per command, in order; those with `cascade` come alone."""
        if not any(order.command.cascade for order in orders):
            return await delete_licenses(tx, orders, at)
        [order] = orders
        named = {(order.tenant_id, key) for key in order.command.keys}
        ledger = Ledger(await in_use(tx, await read_licenses(tx, keys=named)))
        outcomes = [_delete(ledger, order.tenant_id, key) for key in order.command.keys]
        gone = [outcome for outcome in outcomes if isinstance(outcome, License)]
        result = Result(
            outcomes=[Deleted(key=one.key, id=one.id) if isinstance(one, License) else one for one in outcomes],
            titles={},
        )
        decision = Decision(result=result, events=[_license_deleted(one) for one in gone])
        works = [
            _work(
                order,
                Continuing.DELETE_LICENSE,
                Named(one.id, one.key),
                total=await count_of_license(tx, order.tenant_id, one.id),
            )
            for one in gone
            if one.is_in_use
        ]
        decision = await self._cascade(tx, order, decision, works, at)
        await forget_dates(tx, ledger.removed())
        await remove_licenses(tx, ledger.removed())
        return [decision]

    async def _cascade(
        self, tx: Transaction, order: Order[Any], decision: Decision, works: Sequence[Continuation], at: datetime
    ) -> Decision:
        """Take away what goes along, as much of it as one chunk takes; the rest goes on."""
        if not works:
            return decision
        told: list[Told] = list(decision.events)
        undertaken: list[Undertaking] = []
        for of in works:
            left = self._sizes.of(of.kind) - sum(this.done for this in undertaken)
            this = await prepare(tx, of, rows=max(left, 1), at=at)
            await take_over(tx, this, order.operation_id)
            await _remove_grants(tx, this)
            told += await carry_out(tx, this)
            undertaken.append(this)
        done = sum(this.done for this in undertaken)
        more = await work_left(tx, order.tenant_id, order.operation_id)
        return dataclasses.replace(
            decision,
            events=sorted(told, key=lambda one: ORDER[one.type]),
            reached=[one for this in undertaken for one in this.reached],
            done=done or 1,
            total=(done or 1) + (more or 0),
        )


async def _remove_grants(tx: Transaction, this: Undertaking) -> None:
    """Nobody sees the grants any more that go along."""
    of, facts = this.of, this.book.facts
    going = [
        grant
        for grant in facts.grants.values()
        if not grant.is_removed and of.target.id == _target_of(of, grant.group_id, grant.license_id)
    ]
    for grant in going:
        grant.is_removed = True
        this.book.announce(grant)
    await mark_grants_removed(tx, of.tenant_id, [grant.id for grant in going])


def _target_of(of: Continuation, group_id: int, license_id: int) -> int | None:
    if of.kind is Continuing.DELETE_GROUP:
        return group_id
    return license_id if of.kind is Continuing.DELETE_LICENSE else None


def _work(order: Order[Any], kind: Continuing, target: Named, *, total: int = 0) -> Continuation:
    return Continuation(
        tenant_id=order.tenant_id,
        operation_id=order.operation_id,
        operation_seq=order.seq,
        kind=kind,
        target=target,
        license_id=target.id if kind is Continuing.DELETE_LICENSE else None,
        group_id=target.id if kind is Continuing.DELETE_GROUP else None,
        total=total,
    )


def _deleted(decision: Decision) -> Iterable[Deleted]:
    return (outcome for outcome in decision.result.outcomes if isinstance(outcome, Deleted))


def _delete(ledger: Ledger[License], tenant_id: int, key: str) -> License | Outcome:
    row = ledger.get(tenant_id, key)
    if row is None:
        return Refusal(code=ErrorCode.LICENSE_DOES_NOT_EXIST, field="key")
    ledger.remove(tenant_id, key)
    return row


def _license_deleted(row: License) -> Event:
    """Nobody has anything of what does not exist."""
    counts = PoolCounts(capacity=row.capacity, used=0, reserved=0, queued=0, waiting=0)
    return license_event(Named(row.id, row.key), counts, active=row.active, deleted=True)
