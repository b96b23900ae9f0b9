"""Dead letters as their tenant's lock holder counts, redrives and discards them.

One rule: whatever makes or unmakes a dead letter counts it in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.dead_letters import DeadLetterFilter, first_line
from infra.postgres.database import Row, Transaction
from infra.postgres.statements import load

_SQL = load("dead_letters")

WINDOW = 5_000
"""Dead letters that one step looks at: about 10 ms of an index scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One more operation of a tenant that has failed."""

    tenant_id: int
    fingerprint: str
    kind: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter by its place in the log. `is_unfinished`: it failed in the middle of its chunks."""

    id: UUID
    seq: int
    error_group: str
    is_unfinished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDeadLetters:
    """Some dead letters in the order of the log; the next ones are behind `cursor`, if there are `more`."""

    letters: Sequence[DeadLetter]
    cursor: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """An operation that is queued again, or (with `unfinished`) goes on with what its chunks have left."""

    id: UUID
    seq: int
    unfinished: Sequence[Mapping[str, Any]] | None
    traceparent: str | None


async def count_dead_letters(tx: Transaction, failures: Sequence[Failure]) -> None:
    """Count operations that have just failed."""
    counts = Counter((one.tenant_id, one.fingerprint) for one in failures)
    first = {(one.tenant_id, one.fingerprint): one for one in reversed(failures)}
    keys = sorted(counts)
    await tx.execute(
        _SQL["count_dead_letters"],
        tenant_ids=[tenant_id for tenant_id, _ in keys],
        fingerprints=[fingerprint for _, fingerprint in keys],
        kinds=[first[key].kind for key in keys],
        codes=[first[key].code for key in keys],
        messages=[first_line(first[key].message) for key in keys],
        counts=[counts[key] for key in keys],
    )


async def errors_like(tx: Transaction, tenant_id: int, matching: DeadLetterFilter) -> list[str] | None:
    """The fingerprints that the filter allows; None where it allows all."""
    if matching.fingerprint is None and matching.code is None and matching.kind is None:
        return None
    rows = await tx.fetch(
        _SQL["errors_like"],
        tenant_id=tenant_id,
        fingerprint=matching.fingerprint,
        code=matching.code,
        kind=matching.kind,
    )
    return [row["fingerprint"] for row in rows]


async def next_dead_letters(
    tx: Transaction, tenant_id: int, matching: DeadLetterFilter, *, cursor: int, up_to: int, rows: int
) -> FoundDeadLetters:
    """At most so many that match, behind the cursor and before `up_to`; maybe none although there are more."""
    found = await tx.fetch(
        _SQL["next_dead_letters"],
        tenant_id=tenant_id,
        cursor=cursor,
        up_to=up_to,
        window=WINDOW,
        fingerprints=await errors_like(tx, tenant_id, matching),
        since=matching.since,
        until=matching.until,
        rows=rows,
    )
    letters = [_letter(row) for row in found if row["id"] is not None]
    scanned, last = found[0]["scanned"], found[0]["last"] or cursor
    if len(letters) == rows:
        more = letters[-1].seq < last or scanned == WINDOW
        return FoundDeadLetters(letters=letters, cursor=letters[-1].seq, more=more)
    return FoundDeadLetters(letters=letters, cursor=last, more=scanned == WINDOW)


async def named_dead_letters(
    tx: Transaction, tenant_id: int, ids: Collection[UUID], *, cursor: int, up_to: int, rows: int
) -> FoundDeadLetters:
    """As `next_dead_letters`, of those with these ids."""
    found = await tx.fetch(
        _SQL["named_dead_letters"], tenant_id=tenant_id, ids=list(ids), cursor=cursor, up_to=up_to, rows=rows
    )
    letters = [_letter(row) for row in found[:rows]]
    return FoundDeadLetters(letters=letters, cursor=letters[-1].seq if letters else cursor, more=len(found) > rows)


async def redrive(tx: Transaction, tenant_id: int, letters: Sequence[DeadLetter]) -> list[Redriven]:
    """Queue them again, in their order, and count them no more."""
    rows = await tx.fetch(_SQL["redrive"], tenant_id=tenant_id, ids=[letter.id for letter in letters])
    await _uncount(tx, tenant_id, letters)
    return [
        Redriven(id=row["id"], seq=row["seq"], unfinished=row["unfinished"], traceparent=row["traceparent"])
        for row in rows
    ]


async def forget_unfinished(tx: Transaction, tenant_id: int, operation_id: UUID) -> None:
    """What the chunks of the operation had left is under way again."""
    await tx.execute(_SQL["forget_unfinished"], tenant_id=tenant_id, id=operation_id)


async def discard(tx: Transaction, tenant_id: int, letters: Sequence[DeadLetter], reason: str) -> None:
    """Give them up, and count them no more."""
    await tx.execute(_SQL["discard"], tenant_id=tenant_id, ids=[letter.id for letter in letters], reason=reason)
    await _uncount(tx, tenant_id, letters)


async def grant_gives(tx: Transaction, tenant_id: int, grant_id: int) -> bool | None:
    """Whether the grant gives; None where it does not exist."""
    rows = await tx.fetch(_SQL["grant_gives"], tenant_id=tenant_id, grant_id=grant_id)
    return rows[0]["gives"] if rows else None


async def _uncount(tx: Transaction, tenant_id: int, letters: Sequence[DeadLetter]) -> None:
    counts = Counter(letter.error_group for letter in letters)
    await tx.execute(
        _SQL["uncount_dead_letters"], tenant_id=tenant_id, fingerprints=list(counts), counts=list(counts.values())
    )


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(id=row["id"], seq=row["seq"], error_group=row["error_group"], is_unfinished=row["is_unfinished"])
