"""An operation that failed in the middle of its chunks goes on with what they left undone.

One rule: what counts is what is so now. What a later command has undone stays undone, and whoever is to be given a seat
gets a free one or waits, as somebody who joins does.
"""

from collections.abc import Mapping
from typing import Any

from domain.continuations import Continuation, Continuing
from domain.entitlements import Named
from domain.planning import Reached
from infra.postgres.continuations import begin_continuation, end_operations, read_running
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import Redriven, forget_unfinished, grant_gives
from infra.postgres.group_bundles import grants_to_reprocess
from workers.announcing import finished_event

_TAKES = frozenset({Continuing.WITHDRAW, Continuing.CONVERT})
_GIVES = frozenset({Continuing.GIVE, Continuing.ADMIT})


async def resume(tx: Transaction, tenant_id: int, redriven: Redriven) -> list[Reached]:
    """Begin its continuations anew; where nothing of them is left to do, the operation has ended, which is told."""
    for left in redriven.unfinished or ():
        of = _continuation(tenant_id, redriven, left)
        running = await read_running(tx, [tenant_id])
        if any(one.kind is of.kind and one.target.id == of.target.id for one in running):
            continue
        if await _is_wanted(tx, of):
            await begin_continuation(tx, of)
    await forget_unfinished(tx, tenant_id, redriven.id)
    ended = await end_operations(tx, tenant_id, [redriven.id])
    return [
        Reached(operation_id=one.id, events=[finished_event(one.id, one.kind, one.status)], traceparent=one.traceparent)
        for one in ended
    ]


def _continuation(tenant_id: int, redriven: Redriven, left: Mapping[str, Any]) -> Continuation:
    return Continuation(
        tenant_id=tenant_id,
        operation_id=redriven.id,
        operation_seq=redriven.seq,
        kind=Continuing(left["kind"]),
        target=Named(left["target_id"], left["target_key"]),
        license_id=left["license_id"],
        group_id=left["group_id"],
        total=left["left"],
    )


async def _is_wanted(tx: Transaction, of: Continuation) -> bool:
    """Whether the work is still to be done; sets where one that gives begins, and how far its quota reaches."""
    if of.kind in _TAKES:
        return await grant_gives(tx, of.tenant_id, of.target.id) is False
    if of.kind is Continuing.CLEAR:
        return await grant_gives(tx, of.tenant_id, of.target.id) is not None
    if of.kind not in _GIVES:
        return True
    if not await grant_gives(tx, of.tenant_id, of.target.id):
        return False
    return of.kind is Continuing.ADMIT or await _lacks(tx, of)


async def _lacks(tx: Transaction, of: Continuation) -> bool:
    grants = await grants_to_reprocess(tx, of.tenant_id, of.group_id or 0)
    grant = next((one for one in grants if one.id == of.target.id), None)
    if grant is None or grant.first is None:
        return False
    of.cursor, of.quota_boundary, of.total = grant.first - 1, grant.last, max(grant.lacking, 1)
    return True
