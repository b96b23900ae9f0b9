"""What a recount reads: stored counts by the page, rows by the slice, all within one snapshot of the database.

One rule: no statement reads more than a slice, and no answer is larger than one; what is summed up is summed up by the
caller, in the order of ids.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infra.postgres.database import Database, Row, Session, Transaction
from infra.postgres.statements import load

_SQL = load("verify")

SLICE = 20_000
"""Rows of one slice: about 0.1 s."""

_PAGE = 1_000
_LEADER_LOCK = 5_391_003
# A leader that sleeps longer than this has lost its lock; it pings every fifteen seconds.
_IDLE_SESSION = "60s"
_END = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTenant:
    """A tenant that can be recounted."""

    id: int
    key: str


class PairSlice(NamedTuple):
    """A slice of a table by two ids: behind the first pair, up to and with the second."""

    after: tuple[int, int]
    last: tuple[int, int]


class IdSlice(NamedTuple):
    """A slice of a table by one id: behind the first, up to and with the second."""

    after: int
    last: int


async def tenants_to_verify(database: Database, key: str | None = None) -> list[VerifiedTenant]:
    """Every tenant, or the one with this key; none where there is none."""
    rows = await database.fetch(_SQL["tenants_to_verify"], key=key)
    return [VerifiedTenant(id=row["id"], key=row["key"]) for row in rows]


async def leader_session(database: Database) -> Session:
    """Open the session that the daily recount's lock belongs to."""
    return await database.session(idle_session_timeout=_IDLE_SESSION)


async def lead_verification(session: Session) -> bool:
    """Become the one that recounts, unless another session is."""
    [row] = await session.fetch(_SQL["lead_verification"], lock=_LEADER_LOCK)
    return bool(row["leads"])


async def ping_verification(session: Session) -> None:
    """Show that the session lives.

    Raises:
        Exception: it does not, and nor does the lock.
    """
    await session.execute(_SQL["ping_verification"])


async def expected_rows(database: Database, tenants: Sequence[VerifiedTenant]) -> int:
    """About how many rows a recount of these tenants reads."""
    [row] = await database.fetch(_SQL["expected_rows"], tenant_ids=[tenant.id for tenant in tenants])
    rows: int = row["rows"]
    return rows


async def stored_groups(tx: Transaction, tenant_id: int) -> AsyncIterator[Row]:
    """The tenant's groups in id order, with the counts they carry."""
    after, rows = 0, await tx.fetch(_SQL["stored_groups"], tenant_id=tenant_id, after=0, rows=_PAGE)
    while rows:
        for row in rows:
            yield row
        after = rows[-1]["id"]
        rows = await tx.fetch(_SQL["stored_groups"], tenant_id=tenant_id, after=after, rows=_PAGE)


async def stored_grants(tx: Transaction, tenant_id: int) -> AsyncIterator[Row]:
    """The tenant's grants to groups in id order, with the counts they carry."""
    after, rows = 0, await tx.fetch(_SQL["stored_grants"], tenant_id=tenant_id, after=0, rows=_PAGE)
    while rows:
        for row in rows:
            yield row
        after = rows[-1]["id"]
        rows = await tx.fetch(_SQL["stored_grants"], tenant_id=tenant_id, after=after, rows=_PAGE)


async def stored_licenses(tx: Transaction, tenant_id: int) -> Sequence[Row]:
    """The tenant's licences in id order, with the counts they carry."""
    return await tx.fetch(_SQL["stored_licenses"], tenant_id=tenant_id)


async def missed_dates(tx: Transaction, tenant_id: int) -> Sequence[Row]:
    """Licences with a date that is not on record or was not acted on."""
    return await tx.fetch(_SQL["missed_dates"], tenant_id=tenant_id)


async def membership_slices(tx: Transaction, tenant_id: int) -> AsyncIterator[PairSlice]:
    """Slices of (group, user) that together hold every assignment and every member."""
    after = (0, 0)
    while after < (_END, _END):
        rows = await tx.fetch(
            _SQL["assignment_slice_end"], tenant_id=tenant_id, after_group=after[0], after_user=after[1], rows=SLICE
        )
        last = (rows[0]["group_id"], rows[0]["user_id"]) if rows else (_END, _END)
        yield PairSlice(after, last)
        after = last


async def count_memberships(tx: Transaction, tenant_id: int, part: PairSlice) -> Sequence[Row]:
    """What the slice holds of each group, in id order."""
    return await tx.fetch(_SQL["count_memberships"], **_membership_slice(tenant_id, part))


async def stray_assignments(tx: Transaction, tenant_id: int, part: PairSlice) -> Sequence[Row]:
    """Assignments of the slice that should not be."""
    return await tx.fetch(_SQL["stray_assignments"], **_membership_slice(tenant_id, part))


async def members_without_source(tx: Transaction, tenant_id: int, part: PairSlice) -> Sequence[Row]:
    """Members of the slice who lack what their group has been granted."""
    return await tx.fetch(_SQL["members_without_source"], **_membership_slice(tenant_id, part))


async def entitlement_slices(tx: Transaction, tenant_id: int) -> AsyncIterator[IdSlice]:
    """Slices of entitlement ids that together hold every entitlement and every source."""
    after = 0
    while after < _END:
        rows = await tx.fetch(_SQL["entitlement_slice_end"], tenant_id=tenant_id, after=after, rows=SLICE)
        last = rows[0]["id"] if rows else _END
        yield IdSlice(after, last)
        after = last


async def count_entitlements(tx: Transaction, tenant_id: int, part: IdSlice) -> Sequence[Row]:
    """What the slice holds of each licence."""
    return await tx.fetch(_SQL["count_entitlements"], **_entitlement_slice(tenant_id, part))


async def contradicted_entitlements(tx: Transaction, tenant_id: int, part: IdSlice) -> Sequence[Row]:
    """Entitlements of the slice that should not be, or not so."""
    return await tx.fetch(_SQL["contradicted_entitlements"], **_entitlement_slice(tenant_id, part))


async def sources_without_entitlement(tx: Transaction, tenant_id: int, part: IdSlice) -> Sequence[Row]:
    """Sources of the slice that stand alone."""
    return await tx.fetch(_SQL["sources_without_entitlement"], **_entitlement_slice(tenant_id, part))


async def source_slices(tx: Transaction, tenant_id: int) -> AsyncIterator[PairSlice]:
    """Slices of (grant, entitlement) that together hold every source that a group gives."""
    after = (0, 0)
    while after < (_END, _END):
        rows = await tx.fetch(
            _SQL["source_slice_end"], tenant_id=tenant_id, after_grant=after[0], after_entitlement=after[1], rows=SLICE
        )
        last = (rows[0]["grant_id"], rows[0]["entitlement_id"]) if rows else (_END, _END)
        yield PairSlice(after, last)
        after = last


async def count_sources(tx: Transaction, tenant_id: int, part: PairSlice) -> Sequence[Row]:
    """What the slice holds of each grant, in id order."""
    return await tx.fetch(_SQL["count_sources"], **_source_slice(tenant_id, part))


async def stray_sources(tx: Transaction, tenant_id: int, part: PairSlice) -> Sequence[Row]:
    """Sources of the slice that should not be."""
    return await tx.fetch(_SQL["stray_sources"], **_source_slice(tenant_id, part))


def _membership_slice(tenant_id: int, part: PairSlice) -> dict[str, int]:
    return {
        "tenant_id": tenant_id,
        "after_group": part.after[0],
        "after_user": part.after[1],
        "last_group": part.last[0],
        "last_user": part.last[1],
    }


def _entitlement_slice(tenant_id: int, part: IdSlice) -> dict[str, int]:
    return {"tenant_id": tenant_id, "after": part.after, "last": part.last}


def _source_slice(tenant_id: int, part: PairSlice) -> dict[str, int]:
    return {
        "tenant_id": tenant_id,
        "after_grant": part.after[0],
        "after_entitlement": part.after[1],
        "last_grant": part.last[0],
        "last_entitlement": part.last[1],
    }


async def stored_errors(tx: Transaction, tenant_id: int) -> AsyncIterator[Row]:
    """The errors of the tenant's dead letters, with the counts they carry."""
    for row in await tx.fetch(_SQL["stored_errors"], tenant_id=tenant_id):
        yield row


async def counted_errors(tx: Transaction, tenant_id: int) -> AsyncIterator[Row]:
    """The tenant's dead letters counted by error, slice by slice: an error may come more than once, in a row."""
    after, read = ("", 0), SLICE
    while read == SLICE:
        rows = await tx.fetch(
            _SQL["count_errors"], tenant_id=tenant_id, after_error=after[0], after_seq=after[1], rows=SLICE
        )
        for row in rows:
            yield {"id": row["id"], "count": row["count"]}
        read = sum(row["count"] for row in rows)
        after = (rows[-1]["id"], rows[-1]["last"]) if rows else after
