"""Continuations in Postgres: what goes on in chunks, whom a chunk comes to next, and how far it has come."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.codec import decode
from domain.commands import Command
from domain.continuations import Continuation, Continuing
from domain.entitlements import Named, State
from domain.outcomes import OperationStatus
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("continuations")
_LAST = 2**63 - 1  # behind every id


class Person(NamedTuple):
    """Somebody a chunk comes to, and their row of the licence in question, if there is one.

    Who has none, and is to be given one, comes with their key and an id for it.
    """

    user_id: int
    entitlement_id: int | None
    key: str = ""
    fresh_id: int = 0


class Needing(NamedTuple):
    """How many members need a seat, and the ids of some of them, in order."""

    members: int
    user_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedOperation:
    """An operation whose last work is done."""

    id: UUID
    kind: str
    status: OperationStatus
    traceparent: str | None


async def read_running(tx: Transaction, tenant_ids: Iterable[int]) -> list[Continuation]:
    """What goes on in chunks for these tenants, each tenant's oldest first."""
    rows = await tx.fetch(_SQL["running"], tenant_ids=sorted(set(tenant_ids)))
    return [_continuation(row) for row in rows]


async def work_left(tx: Transaction, tenant_id: int, operation_id: UUID) -> int | None:
    """How many people the operation's continuations have yet to come to; None where it has none."""
    [row] = await tx.fetch(_SQL["work_left"], tenant_id=tenant_id, operation_id=operation_id)
    left: int | None = row["left"]
    return left


async def read_unreached(
    tx: Transaction, running: Sequence[Continuation], people: Iterable[tuple[int, int]]
) -> dict[int, list[Person]]:
    """Whom of these (tenant, user) pairs each continuation, by its id, has yet to come to."""
    pairs = sorted(set(people))
    rows = await tx.fetch(
        _SQL["unreached"],
        tenant_ids=[tenant_id for tenant_id, _ in pairs],
        user_ids=[user_id for _, user_id in pairs],
        ids=[continuation.id for continuation in running],
    )
    unreached: dict[int, list[Person]] = {}
    for row in rows:
        person = Person(row["user_id"], row["entitlement_id"], row["key"], row["fresh_id"])
        unreached.setdefault(row["continuation_id"], []).append(person)
    return unreached


async def next_members(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """The members behind the cursor of a continuation that gives, in id order."""
    found = await tx.fetch(
        _SQL["next_members"],
        tenant_id=of.tenant_id,
        group_id=of.group_id,
        license_id=of.license_id,
        cursor=of.cursor,
        rows=rows,
    )
    return [Person._make(row.values()) for row in found]


async def next_holders(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """Those behind the cursor who have the licence from the grant, in the order of their entitlements."""
    found = await tx.fetch(
        _SQL["next_holders"], tenant_id=of.tenant_id, grant_id=of.target.id, cursor=of.cursor, rows=rows
    )
    return [Person(row["user_id"], row["entitlement_id"]) for row in found]


async def has_entitlements(tx: Transaction, of: Continuation) -> bool:
    """Whether anybody has anything of the licence that it gives."""
    [row] = await tx.fetch(_SQL["has_entitlements"], tenant_id=of.tenant_id, license_id=of.license_id)
    has_any: bool = row["has_any"]
    return has_any


async def read_needing(
    tx: Transaction,
    of: Continuation,
    running: Sequence[Continuation],
    *,
    after: int = 0,
    counted: int | None = None,
    skipped: int = 0,
    most: int = 0,
) -> Needing:
    """Which members of the group that `of` gives to need a seat that nothing has promised them.

    Counts those whose id is above `after` (no further than `counted`), and names `most` of them behind the first
    `skipped`. `running` is what goes on for the tenant.
    """
    earlier = [one for one in running if one.gives_before(of)]
    rows = await tx.fetch(
        _SQL["needing"],
        tenant_id=of.tenant_id,
        license_id=of.license_id,
        group_id=of.group_id,
        grant_id=of.target.id,
        after=after,
        up_to=_LAST if of.quota_boundary is None else of.quota_boundary,
        withdrawn=[one.target.id for one in running if one.kind is Continuing.WITHDRAW],
        deleted_groups=[one.target.id for one in running if one.kind is Continuing.DELETE_GROUP],
        give_groups=[one.group_id for one in earlier],
        give_grants=[one.target.id for one in earlier],
        give_cursors=[one.cursor for one in earlier],
        give_quotas=[one.quota_boundary for one in earlier],
        counted=counted,
        skipped=skipped,
        most=most,
    )
    return Needing(rows[0]["needing"], rows[0]["user_ids"])


async def add_holders(tx: Transaction, of: Continuation, newcomers: Sequence[Person], states: Sequence[State]) -> None:
    """Write the rows of people who had none, with the grant as their one source."""
    await tx.execute(
        _SQL["add_holders"],
        tenant_id=of.tenant_id,
        license_id=of.license_id,
        grant_id=of.target.id,
        seq=of.operation_seq,
        operation_id=of.operation_id,
        ids=[newcomer.fresh_id for newcomer in newcomers],
        user_ids=[newcomer.user_id for newcomer in newcomers],
        state=states[0],
        states=[] if states.count(states[0]) == len(states) else states,
    )


async def begin_continuation(tx: Transaction, of: Continuation) -> None:
    """Write the row of work that does not fit into its operation's own pass."""
    rows = await tx.fetch(
        _SQL["begin_continuation"],
        tenant_id=of.tenant_id,
        operation_id=of.operation_id,
        operation_seq=of.operation_seq,
        kind=of.kind.value,
        target_id=of.target.id,
        target_key=of.target.key,
        license_id=of.license_id,
        group_id=of.group_id,
        cursor=of.cursor,
        reserved=of.reserved,
        boundary=of.boundary,
        quota_boundary=of.quota_boundary,
        done=of.done,
        total=of.total,
    )
    of.id = rows[0]["id"]


async def move_continuations(
    tx: Transaction, moved: Sequence[tuple[Continuation, int]], *, by_chunk: bool = False
) -> None:
    """Write how far work has come; beside each stands how many people it has come to just now."""
    if moved:
        await tx.execute(
            _SQL["move_continuations"],
            tenant_ids=[one.tenant_id for one, _ in moved],
            ids=[one.id for one, _ in moved],
            cursors=[one.cursor for one, _ in moved],
            reserveds=[one.reserved for one, _ in moved],
            boundaries=[one.boundary for one, _ in moved],
            quota_boundaries=[one.quota_boundary for one, _ in moved],
            more=[more for _, more in moved],
            by_chunk=by_chunk,
        )


async def end_continuations(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> None:
    """Remove the rows of work that is done or was taken over; the seats that it still held are the caller's."""
    await tx.execute(_SQL["end_continuations"], tenant_id=tenant_id, ids=ids)


async def end_operations(
    tx: Transaction, tenant_id: int, operation_ids: Sequence[UUID], *, superseded_by: UUID | None = None
) -> list[EndedOperation]:
    """End those of these operations that have no work left; returns them."""
    rows = await tx.fetch(
        _SQL["end_operations"], tenant_id=tenant_id, operation_ids=operation_ids, superseded_by=superseded_by
    )
    return [_ended(row) for row in rows]


async def read_command_of(tx: Transaction, tenant_id: int, operation_id: UUID) -> Command:
    """What the operation was asked to do."""
    [row] = await tx.fetch(_SQL["request_of"], tenant_id=tenant_id, operation_id=operation_id)
    return decode(row["kind"], row["request"])


async def count_failed_chunk(tx: Transaction, of: Continuation) -> int:
    """Count a chunk that raised against its operation; returns how many have by now, one after the other."""
    rows = await tx.fetch(_SQL["count_failed_chunk"], tenant_id=of.tenant_id, operation_id=of.operation_id)
    return rows[0]["attempts"] if rows else 0


async def fail_running(
    tx: Transaction, of: Continuation, error: Mapping[str, str], *, error_group: str
) -> list[EndedOperation]:
    """Give up all work of the operation and fail it, and remember what was left of the work; returns it."""
    rows = await tx.fetch(
        _SQL["fail_running"],
        tenant_id=of.tenant_id,
        operation_id=of.operation_id,
        error=json.dumps(error),
        error_group=error_group,
    )
    return [_ended(row) for row in rows]


def _ended(row: Row) -> EndedOperation:
    return EndedOperation(
        id=row["id"], kind=row["kind"], status=OperationStatus(row["status"]), traceparent=row["traceparent"]
    )


def _continuation(row: Row) -> Continuation:
    return Continuation(
        tenant_id=row["tenant_id"],
        id=row["id"],
        operation_id=row["operation_id"],
        operation_seq=row["operation_seq"],
        kind=Continuing(row["kind"]),
        target=Named(row["target_id"], row["target_key"]),
        license_id=row["license_id"],
        group_id=row["group_id"],
        cursor=row["cursor"],
        reserved=row["reserved"],
        boundary=row["boundary"],
        quota_boundary=row["quota_boundary"],
        done=row["done"],
        total=row["total"],
        operation_kind=row["operation_kind"],
        traceparent=row["traceparent"],
        attempts=row["attempts"],
        deaths_alone=row["deaths_alone"],
    )
