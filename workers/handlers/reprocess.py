"""Brings a group's members to what its grants say: who lacks a licence gets it, who should not have it loses it.

One rule: work that goes on at a grant converges by itself, so such a grant is left alone.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.bundle_plans import reprocessed, together
from domain.continuations import Continuation, Continuing
from domain.errors import ErrorCode, Refusal
from domain.events import Told
from domain.license_commands import ReprocessGroup
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from infra.postgres.group_bundles import GrantToReprocess, find_group, grants_to_reprocess
from workers.chunk_sizes import ChunkSizes
from workers.handlers.group_licenses import continuation_of, decided, refused
from workers.undertaking import Undertaking, carry_out, demand_of, prepare, reserve

_Order = Order[ReprocessGroup]


class Reprocessing:
    """The handler of reprocessed groups, which knows how much one pass may do of them."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def reprocess_one(self, tx: Transaction, orders: Sequence[_Order], at: datetime) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        found = await find_group(tx, order.tenant_id, order.command.group)
        if found is None:
            return [refused(Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="key"))]
        group, _ = found
        grants = await grants_to_reprocess(tx, order.tenant_id, group.id)
        undertaken: list[Undertaking] = []
        told = list[Told]()
        for of in _work(order, group.id, grants, group.user_count):
            done = sum(this.done for this in undertaken)
            this = await prepare(tx, of, rows=max(0, self._sizes.of(of.kind) - done), at=at)
            if of.kind is Continuing.GIVE:
                reserve(this, await demand_of(tx, this, at))
            told += await carry_out(tx, this)
            undertaken.append(this)
        given, taken = sum(grant.lacking for grant in grants), sum(grant.stray for grant in grants)
        outcome = reprocessed(group, given=given, taken=taken)
        return [await decided(tx, order, [outcome], together(told), undertaken)]


def _work(order: _Order, group_id: int, grants: Sequence[GrantToReprocess], members: int) -> list[Continuation]:
    """What is taken first, since it may free the seats for what is given."""
    work: list[Continuation] = []
    for grant in grants:
        if grant.stray:
            of = continuation_of(order, Continuing.CLEAR, grant.id, group_id=group_id, license_id=grant.license_id)
            of.total = grant.stray
            work.append(of)
    for grant in grants:
        if grant.first is not None:
            of = continuation_of(order, Continuing.GIVE, grant.id, group_id=group_id, license_id=grant.license_id)
            of.cursor, of.quota_boundary, of.total = grant.first - 1, grant.last, members
            work.append(of)
    return work
