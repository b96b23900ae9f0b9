"""The lane of chunks: work on any number of members, one tenant and one short transaction at a time.

One rule: a chunk takes its tenant's lock like a pass does, and then lets the tenant's queued operations go first.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import structlog

from domain.continuations import Continuation
from domain.errors import JSON
from infra.failpoints import Failpoint, Reached, unarmed
from infra.postgres.database import Database
from infra.postgres.faults import is_statement_timeout, is_transient
from infra.postgres.passes import lock_tenants, still_open
from infra.traces import trace
from workers.chunk_sizes import ChunkSizes
from workers.continuations import continue_oldest, count_failure
from workers.measuring import chunk_committed
from workers.ready import ReadySet
from workers.steps import Step

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.1
_LAST_PAUSE = 2.0


class ChunkLane:
    """Tenants with work that goes on in chunks, in turn. `committed` is called after every chunk."""

    def __init__(
        self,
        *,
        database: Database,
        ready: ReadySet,
        sizes: ChunkSizes,
        committed: Callable[[], Awaitable[None]],
        reached: Reached = unarmed,
    ) -> None:
        self._database = database
        self._ready = ready
        self._sizes = sizes
        self._committed = committed
        self._reached = reached
        self._tenants: dict[int, None] = {}
        self._filled = asyncio.Event()
        self._pause = _FIRST_PAUSE
        self.chunks = 0
        self._latest: dict[str, JSON] | None = None

    def __len__(self) -> int:
        return len(self._tenants)

    def add(self, tenant_id: int) -> None:
        """Something goes on in chunks for this tenant."""
        self._tenants[tenant_id] = None
        self._filled.set()

    def take_latest(self) -> dict[str, JSON] | None:
        """What the last chunk was about; None where there has been none since it was last asked."""
        latest, self._latest = self._latest, None
        return latest

    async def next(self) -> int:
        """Wait for a tenant and take it out."""
        while not self._tenants:
            self._filled.clear()
            await self._filled.wait()
        tenant_id = next(iter(self._tenants))
        del self._tenants[tenant_id]
        return tenant_id

    async def turn(self, tenant_id: int) -> None:
        """One chunk of this tenant's oldest work, if nobody else holds the tenant; its holder owes the re-read."""
        try:
            if await self._chunk(tenant_id):
                await self._committed()
                await self._reread(tenant_id)
        except Exception as error:  # noqa: BLE001 - whatever it was, the rows are as they were before the chunk
            await self._failed_safely(tenant_id, error)

    async def _chunk(self, tenant_id: int) -> bool:
        began = time.perf_counter()
        events, taken = await self._take(tenant_id)
        if events is None:
            return False
        self._pause = _FIRST_PAUSE
        if taken is not None:
            self._reached(Failpoint.CHUNK_AFTER_COMMIT)
            of, step = taken
            self.chunks += 1
            self._latest = _shown(of, step.touched)
            seconds = time.perf_counter() - began
            self._sizes.took(of.kind, rows=step.touched, seconds=seconds)
            chunk_committed(self._database.measures, of.kind, rows=step.touched, seconds=seconds, events=events)
        return True

    async def _take(self, tenant_id: int) -> tuple[int | None, tuple[Continuation, Step] | None]:
        """One transaction: how many events it told, None where the tenant is held elsewhere; and what it took."""
        async with self._database.transaction() as tx:
            logs = await lock_tenants(tx, [tenant_id])
            if tenant_id not in logs:
                return None, None
            before = logs[tenant_id].event_seq
            taken = await continue_oldest(tx, logs[tenant_id], self._sizes)
            if taken is not None:
                self._reached(Failpoint.CHUNK_BEFORE_COMMIT)
            return logs[tenant_id].event_seq - before, taken

    async def _reread(self, tenant_id: int) -> None:
        """What is queued goes first: the pass that takes it brings the tenant back here."""
        owed = await still_open(self._database, [tenant_id])
        if tenant_id in owed.queued:
            self._ready.add(tenant_id)
        elif tenant_id in owed.running:
            self.add(tenant_id)

    async def _failed_safely(self, tenant_id: int, error: Exception) -> None:
        try:
            if not is_transient(error) or is_statement_timeout(error):
                await self._count_failure(tenant_id, error)
        except Exception as second:  # noqa: BLE001 - the failure could not be counted: the chunk will raise again
            log.info("a failed chunk could not be counted", tenant_id=tenant_id, error=trace(second))
        await self._back_off(tenant_id, error)

    async def _count_failure(self, tenant_id: int, error: Exception) -> None:
        async with self._database.transaction() as tx:
            logs = await lock_tenants(tx, [tenant_id])
            failed = await count_failure(tx, logs[tenant_id], trace(error)) if tenant_id in logs else None
        if failed is not None:
            log.error("an operation failed", operation_id=str(failed.operation_id), tenant_id=tenant_id)
            await self._committed()

    async def _back_off(self, tenant_id: int, error: Exception) -> None:
        self.add(tenant_id)
        pause, self._pause = self._pause, min(self._pause * 2, _LAST_PAUSE)
        log.warning("a chunk will be repeated", tenant_id=tenant_id, pause=pause, error=trace(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _shown(of: Continuation, rows: int) -> dict[str, JSON]:
    return {
        "tenant_id": of.tenant_id,
        "operation_id": str(of.operation_id),
        "kind": of.kind.value,
        "rows": rows,
        "done": of.done + rows,
        "total": of.total,
    }
