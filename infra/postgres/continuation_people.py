"""The people of continuations: whom a chunk comes to next, who needs a seat, and rows for who has none.

One rule: whom a statement names it names in the order of the cursor, so that a chunk ends anywhere.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.continuations import Continuation, Continuing
from domain.entitlements import State
from infra.postgres.database import Transaction
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
    return [Person._make(row.values()) for row in found]  # the columns stand in its order


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
