"""Workers as those who watch see them: whether each lives, and what it is doing.

One rule: alive is whose session lock stands; a heartbeat alone could be a ghost's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import JSON
from infra.postgres.database import Reader, Row
from infra.postgres.statements import load
from infra.postgres.workers import LOCK_CLASS

_SQL = load("read_workers")

MOST_WORKERS = 500
MOST_OPERATIONS = 50
"""How many of a pass's operations are named; their number is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """A worker. `operations` are `{tenant, id, kind}` of its present pass; `chunk` is what it was last at."""

    id: int
    name: str
    version: str
    started_at: datetime
    seen_at: datetime
    is_alive: bool
    leads_relay: bool
    operation_count: int
    operations: Sequence[Mapping[str, JSON]]
    chunk: Mapping[str, JSON] | None


async def read_workers(reader: Reader) -> list[WorkerRow]:
    """All workers that have a row, dead ones that nobody has reaped yet included."""
    rows = await reader.fetch(
        _SQL["read_workers"], lock_class=LOCK_CLASS, most_workers=MOST_WORKERS, most_operations=MOST_OPERATIONS
    )
    return [_worker(row) for row in rows]


def _worker(row: Row) -> WorkerRow:
    return WorkerRow(
        id=row["id"],
        name=row["name"],
        version=row["version"],
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        is_alive=row["is_alive"],
        leads_relay=row["leads_relay"],
        operation_count=row["operation_count"],
        operations=row["operations"],
        chunk=row["chunk"],
    )
