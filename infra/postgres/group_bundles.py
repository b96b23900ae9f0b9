"""Bundles of groups in Postgres: a group by its key, quotas and who is next within them, what reprocessing finds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.continuations import Continuation
from domain.seat_rows import Group
from infra.postgres.continuation_people import Person
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("group_bundles")


class Beyond(NamedTuple):
    """Somebody behind a quota since `seq`, and their row; None where a fan-out has yet to reach them."""

    seq: int
    user_id: int
    entitlement_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantToReprocess:
    """A grant: how many members lack what it gives, and how many have it who should not.

    `first` is the first of those who lack it, `last` the last of them that the grant's quota has room for
    (None: all).
    """

    id: int
    license_id: int
    lacking: int
    first: int | None
    last: int | None
    stray: int


async def find_group(tx: Transaction, tenant_id: int, key: str) -> tuple[Group, bool] | None:
    """The group with this key, and the account dialect's flag."""
    for row in await tx.fetch(_SQL["group_of_key"], tenant_id=tenant_id, key=key):
        group = Group(id=row["id"], key=row["key"], name=row["name"], user_count=row["user_count"])
        return group, row["use_external_license"]
    return None


async def set_external_license(tx: Transaction, tenant_id: int, group_id: int, at: datetime, *, flag: bool) -> None:
    """Store the account dialect's flag."""
    await tx.execute(_SQL["set_external_license"], tenant_id=tenant_id, id=group_id, use_external_license=flag, at=at)


async def members_at(tx: Transaction, tenant_id: int, group_id: int, places: Iterable[int]) -> dict[int, int]:
    """The members at these places of the group, by place."""
    wanted = sorted(set(places))
    if not wanted:
        return {}
    rows = await tx.fetch(_SQL["members_at"], tenant_id=tenant_id, group_id=group_id, places=wanted)
    return {row["place"]: row["user_id"] for row in rows if row["user_id"] is not None}


async def next_admitted(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """Those beyond the quota who are let in next, as far as it has room."""
    found = await tx.fetch(_SQL["next_admitted"], tenant_id=of.tenant_id, grant_id=of.target.id, rows=rows)
    return _people(found)


async def count_needing_admitted(tx: Transaction, of: Continuation) -> int:
    """How many seats those who are let in need."""
    [row] = await tx.fetch(_SQL["count_needing_admitted"], tenant_id=of.tenant_id, grant_id=of.target.id)
    needing: int = row["needing"]
    return needing


async def next_beyond(tx: Transaction, of: Continuation, rows: int) -> list[Beyond]:
    """Who is next behind the quota of a grant that `of` still gives."""
    found = await tx.fetch(
        _SQL["next_beyond"],
        tenant_id=of.tenant_id,
        grant_id=of.target.id,
        license_id=of.license_id,
        group_id=of.group_id,
        seq=of.operation_seq,
        cursor=of.cursor,
        quota_boundary=of.quota_boundary,
        rows=rows,
    )
    return [Beyond(row["seq"], row["user_id"], row["entitlement_id"]) for row in found]


async def grants_to_reprocess(tx: Transaction, tenant_id: int, group_id: int) -> list[GrantToReprocess]:
    """The group's grants at which no work is running."""
    rows = await tx.fetch(_SQL["grants_to_reprocess"], tenant_id=tenant_id, group_id=group_id)
    return [
        GrantToReprocess(
            id=row["id"],
            license_id=row["license_id"],
            lacking=row["lacking"],
            first=row["first"],
            last=row["last"],
            stray=row["stray"],
        )
        for row in rows
    ]


async def next_stray(tx: Transaction, of: Continuation, rows: int) -> list[Person]:
    """Those behind the cursor who have what the grant gives and should not."""
    found = await tx.fetch(
        _SQL["next_stray"], tenant_id=of.tenant_id, grant_id=of.target.id, cursor=of.cursor, rows=rows
    )
    return _people(found)


def _people(rows: Sequence[Row]) -> list[Person]:
    return [Person(row["user_id"], row["entitlement_id"]) for row in rows]
