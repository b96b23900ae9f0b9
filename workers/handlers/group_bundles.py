"""Applies what is asked of a group's bundles: some end, some get another quota, some begin to give, or nothing does.

One rule: everything is checked before anything begins, and all that begins shares what one pass may do.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.bundle_plans import BundlePlan, by_code, together
from domain.continuations import Continuation, Continuing
from domain.errors import ErrorCode, Refusal
from domain.events import Told
from domain.group_grants import Demand as Needs
from domain.license_commands import ReplaceGroupBundles
from domain.planning import Decision, Order
from domain.seat_rows import Grant
from domain.user_bundles import Demand, pools_by_code
from infra.postgres.continuation_people import read_needing
from infra.postgres.continuations import read_running
from infra.postgres.database import Transaction
from infra.postgres.group_bundles import (
    count_needing_admitted,
    find_group,
    members_at,
    set_external_license,
)
from infra.postgres.group_licenses import reserve_grant_ids, write_grants
from infra.postgres.seat_names import find_bundles
from infra.postgres.seats import load_seats
from workers.chunk_sizes import ChunkSizes
from workers.handlers.group_licenses import continuation_of, decided, put_grant, refused
from workers.undertaking import Undertaking, carry_out, prepare, reserve, take_over

_Order = Order[ReplaceGroupBundles]


class GroupBundles:
    """The handler of groups' bundles, which knows how much one pass may do of them."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def replace_one(self, tx: Transaction, orders: Sequence[_Order], at: datetime) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        bundles = await find_bundles(tx, [order.tenant_id])
        if not bundles:
            return [refused(Refusal(code=ErrorCode.ACCOUNT_DOES_NOT_EXIST))]
        found = await find_group(tx, order.tenant_id, order.command.group)
        if found is None:
            return [refused(Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="group"))]
        group, flag = found
        book = await load_seats(tx, at=at, groups=[(order.tenant_id, group.id)], licenses=bundles)
        pools = pools_by_code(book.facts.pools.values(), order.tenant_id)
        grants = by_code(list(book.facts.grants.values()), pools)
        plan = BundlePlan(command=order.command, pools=pools, group=group, grants=grants)
        refusal = plan.refusal_of_form()
        if refusal is not None:
            return [refused(refusal)]
        replacing = _Replacing(tx, order, plan, self._sizes, at)
        await replacing.look()
        refusal = plan.refusal_of_quantities(replacing.demands)
        if refusal is not None:
            return [refused(refusal)]
        if flag != order.command.use_external_license:
            await set_external_license(tx, order.tenant_id, group.id, at, flag=order.command.use_external_license)
        return [await replacing.carry_out()]


class _Replacing:
    """One command that is being applied."""

    def __init__(self, tx: Transaction, order: _Order, plan: BundlePlan, sizes: ChunkSizes, at: datetime) -> None:
        self._tx = tx
        self._order = order
        self._plan = plan
        self._at = at
        self._sizes = sizes
        self._gives: dict[str, Continuation] = {}
        self._undertaken: list[Undertaking] = []
        self._told: list[Told] = []
        self._grants = dict(plan.grants)
        self.demands: Mapping[str, Demand] = {}

    async def look(self) -> None:
        """Find what each added code needs: of the members, those whom its quota has room for."""
        plan, order = self._plan, self._order
        running = await read_running(self._tx, [order.tenant_id])
        lasts = await members_at(self._tx, order.tenant_id, plan.group.id, plan.places)
        added = [code for code in plan.added if code in plan.pools]
        for number, code in zip(await reserve_grant_ids(self._tx, len(added)), added, strict=True):
            license_id = plan.pools[code].id
            of = continuation_of(order, Continuing.GIVE, number, group_id=plan.group.id, license_id=license_id)
            of.quota_boundary = lasts.get(order.command.quotas.get(code, 0))
            of.total = plan.group.user_count
            self._gives[code] = of
        self.demands = {code: await self._demand(code, running) for code in plan.added}

    async def _demand(self, code: str, running: Sequence[Continuation]) -> Demand:
        of = self._gives.get(code)
        if of is None:
            return self._plan.demand_without_pool(code)
        found = await read_needing(self._tx, of, running)
        return Demand(found.members, self._plan.pools[code].available(self._at))

    async def carry_out(self) -> Decision:
        """Withdraw, limit and give, in this order."""
        for grant in self._plan.gone:
            await self._withdraw(grant)
        for grant, quota in self._plan.limited:
            await self._limit(grant, quota)
        for code, of in self._gives.items():
            await self._give(code, of)
        outcome = self._plan.outcome(self._now(), self.demands)
        return await decided(self._tx, self._order, [outcome], together(self._told), self._undertaken)

    async def _withdraw(self, grant: Grant) -> None:
        of = self._continuation(Continuing.WITHDRAW, grant)
        of.total = sum(grant.counts)
        this = await self._prepare(of)
        removed = dataclasses.replace(this.book.facts.grants[grant.id], is_removed=True, updated_at=self._at)
        await put_grant(self._tx, this.book, removed)
        await self._carry_out(this)

    async def _limit(self, grant: Grant, quota: int | None) -> None:
        """Set the quota; who is let in by a higher one asks for a seat."""
        limited = dataclasses.replace(grant, quota=quota, updated_at=self._at)
        await write_grants(self._tx, [limited])
        of = self._continuation(Continuing.ADMIT, limited)
        of.total = self._plan.usage(limited) - self._plan.usage(grant)
        if not grant.blocked and not grant.is_bounded:
            self._told += await self._announced(limited)
            return
        this = await self._prepare(of)
        this.book.announce(this.book.facts.grants[grant.id])
        if this.more:
            await self._hold_back(this)
        await self._carry_out(this)

    async def _announced(self, grant: Grant) -> list[Told]:
        tenant_id = self._order.tenant_id
        book = await load_seats(self._tx, at=self._at, groups=[(tenant_id, grant.group_id)])
        book.begin(operation_id=self._order.operation_id, seq=self._order.seq)
        book.announce(book.facts.grants[grant.id])
        return list(book.end())

    async def _hold_back(self, this: Undertaking) -> None:
        """Seats for all whom the quota lets in, or, where there are too few, all of them until all are let in."""
        of, pool = this.of, this.book.facts.pools[this.of.license_id or 0]
        available = pool.available(self._at)
        if available is None:
            return
        needing = of.total if not this.people else await count_needing_admitted(self._tx, of)
        if needing > available:
            of.boundary = 0
            pool.is_bounded = True
        reserve(this, Needs(requested=needing, available=available))

    async def _give(self, code: str, of: Continuation) -> None:
        this = await self._prepare(of)
        demand = self.demands[code]
        reserve(this, Needs(requested=demand.requested, available=demand.available))
        grant = Grant(
            tenant_id=of.tenant_id,
            id=of.target.id,
            group_id=self._plan.group.id,
            license_id=self._plan.pools[code].id,
            quota=self._order.command.quotas.get(code),
            created_at=self._at,
            updated_at=self._at,
        )
        this.book.facts.groups.setdefault(self._plan.group.id, self._plan.group)
        await put_grant(self._tx, this.book, grant)
        self._grants[code] = grant
        await self._carry_out(this)

    async def _prepare(self, of: Continuation) -> Undertaking:
        done = sum(this.done for this in self._undertaken)
        this = await prepare(self._tx, of, rows=max(0, self._sizes.of(of.kind) - done), at=self._at)
        await take_over(self._tx, this, self._order.operation_id)
        return this

    async def _carry_out(self, this: Undertaking) -> None:
        self._told += await carry_out(self._tx, this)
        self._undertaken.append(this)

    def _continuation(self, kind: Continuing, grant: Grant) -> Continuation:
        return continuation_of(self._order, kind, grant.id, group_id=grant.group_id, license_id=grant.license_id)

    def _now(self) -> dict[str, Grant]:
        """The group's grants by code, as what has been done has left them."""
        latest = {of.target.id: this.book.facts.grants[of.target.id] for this in self._undertaken for of in [this.of]}
        return {code: latest.get(grant.id, grant) for code, grant in self._grants.items()}
