"""The lane of chunks: work on any number of members, one tenant and one short transaction at a time.

One rule: a chunk takes its tenant's lock like a pass does, and then lets the tenant's queued operations go first. Where
a pass was there when its turn came, it comes before the next one: somebody who asks without end must not keep others
from what they were promised.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from domain.continuations import Continuation
from domain.errors import JSON, ErrorCode
from infra.failpoints import Failpoint, Reached, unarmed
from infra.postgres.database import Database, Transaction
from infra.postgres.faults import is_statement_timeout, is_transient
from infra.postgres.passes import TenantLog, lock_tenants, still_open
from infra.traces import trace
from workers.beside import both
from workers.chunk_sizes import ChunkSizes
from workers.continuations import continue_one, count_failure, give_up, oldest
from workers.dead import DEATHS_ALONE, LeftBehindError, Tried, count_the_dead, must_wait
from workers.inflight import ChunkInflight
from workers.measuring import chunk_committed
from workers.ready import ReadySet
from workers.steps import Step, Upcoming, next_people

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.1
_LAST_PAUSE = 2.0


class _SuspectedError(Exception):
    """The operation's last chunk has raised, or a worker has died over it: its next one runs with no pass beside it."""


class _WaitingError(Exception):
    """The operation was tried before and has to wait: the poll comes back to it."""


class ChunkLane:
    """Tenants with work that goes on in chunks, in turn. `committed` is called after every chunk.

    `alone` is held by passes while they run.
    """

    def __init__(
        self,
        *,
        database: Database,
        ready: ReadySet,
        sizes: ChunkSizes,
        inflight: ChunkInflight,
        committed: Callable[[], Awaitable[None]],
        reached: Reached = unarmed,
        alone: asyncio.Lock | None = None,
    ) -> None:
        self._database = database
        self._ready = ready
        self._sizes = sizes
        self._committed = committed
        self._inflight = inflight
        self._reached = reached
        self._alone = alone or asyncio.Lock()
        self._tenants: dict[int, None] = {}
        # Those that were held by a pass when their turn came.
        self._missed: set[int] = set()
        self._filled = asyncio.Event()
        self._pause = _FIRST_PAUSE
        self.chunks = 0
        self._latest: dict[str, JSON] | None = None

    def __len__(self) -> int:
        return len(self._tenants)

    def add(self, tenant_id: int) -> None:
        """Something goes on in chunks for this tenant."""
        self._tenants[tenant_id] = None
        if tenant_id in self._missed:
            self._missed.discard(tenant_id)
            self._tenants = {tenant_id: None, **self._tenants}
            self._ready.hold_back(tenant_id)
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
            try:
                if await self._before_passes(tenant_id):
                    await self._committed()
                    await self._reread(tenant_id)
            except _WaitingError:
                await self._reread(tenant_id, goes_on=False)
        except Exception as error:  # noqa: BLE001 - whatever it was, the rows are as they were before the chunk
            await self._failed_safely(tenant_id, error)

    async def _before_passes(self, tenant_id: int) -> bool:
        """The chunk; passes of its tenant are held back for its transaction and no longer, should it fail."""
        try:
            had_its_turn = await self._watched(tenant_id)
        finally:
            self._ready.let_go(tenant_id)
        if had_its_turn:
            self._missed.discard(tenant_id)
        else:
            self._missed.add(tenant_id)
        return had_its_turn

    async def _watched(self, tenant_id: int) -> bool:
        """One chunk, so that whatever it does to this worker is held against its operation and no other."""
        heeds_the_dead = True
        try:
            return await self._chunk(tenant_id)
        except LeftBehindError:
            await self._count_the_dead()
            heeds_the_dead = False
        except _SuspectedError:
            pass
        async with self._alone:
            try:
                return await self._chunk(tenant_id, is_alone=True, heeds_the_dead=heeds_the_dead)
            except LeftBehindError:  # a suspect is named here for the first time
                await self._count_the_dead()
                return await self._chunk(tenant_id, is_alone=True, heeds_the_dead=False)

    async def _count_the_dead(self) -> None:
        await self._inflight.clear_chunk()
        await count_the_dead(self._database, self._inflight.worker_id)

    async def _chunk(self, tenant_id: int, *, is_alone: bool = False, heeds_the_dead: bool = True) -> bool:
        began = time.perf_counter()
        events, taken = await self._take(tenant_id, is_alone=is_alone, heeds_the_dead=heeds_the_dead)
        if events is None:
            return False
        self._pause = _FIRST_PAUSE
        if taken is not None:
            of, step = taken
            self._reached(Failpoint.CHUNK_AFTER_COMMIT)
            self.chunks += 1
            self._latest = _shown(of, step.touched)
            seconds = time.perf_counter() - began
            self._sizes.took(of.kind, rows=step.touched, seconds=seconds)
            chunk_committed(self._database.measures, of.kind, rows=step.touched, seconds=seconds, events=events)
        return True

    async def _take(
        self, tenant_id: int, *, is_alone: bool, heeds_the_dead: bool
    ) -> tuple[int | None, tuple[Continuation, Step] | None]:
        """One transaction: how many events it told, None where the tenant is held elsewhere; and what it took."""
        async with self._database.transaction() as tx:
            logs = await lock_tenants(tx, [tenant_id])
            if tenant_id not in logs:
                return None, None
            before = logs[tenant_id].event_seq
            of = await oldest(tx, logs[tenant_id])
            if of is not None:
                if of.attempts and not is_alone:
                    raise _SuspectedError
                tried = Tried(of.tenant_id, of.operation_id, of.attempts, of.deaths_alone)
                if await must_wait(tx, self._inflight, tried):
                    raise _WaitingError
            step = None if of is None else await self._step(tx, logs[tenant_id], of, heeds_the_dead=heeds_the_dead)
            taken = None if of is None or step is None else (of, step)
            return logs[tenant_id].event_seq - before, taken

    async def _step(self, tx: Transaction, log_of: TenantLog, of: Continuation, *, heeds_the_dead: bool) -> Step | None:
        """The chunk itself, named for whoever finds this worker dead; None: its operation has killed too many."""
        if of.deaths_alone >= DEATHS_ALONE:
            await give_up(tx, log_of, of, ErrorCode.OPERATION_KILLED_WORKER, "workers died over its chunks, one by one")
            log.error("an operation failed", operation_id=str(of.operation_id), tenant_id=of.tenant_id)
            return None
        rows = self._sizes.of(of.kind)
        is_left_behind, upcoming = await self._named(tx, of, rows)
        if is_left_behind and heeds_the_dead:
            raise LeftBehindError
        step = await continue_one(tx, log_of, of, upcoming, rows=rows, ending=self._inflight.end_chunk)
        self._reached(Failpoint.CHUNK_BEFORE_COMMIT)
        return step

    async def _named(self, tx: Transaction, of: Continuation, rows: int) -> tuple[bool, Upcoming]:
        """Name the chunk, and look whom it comes to; nobody is come to before the name stands."""
        counted = of.attempts + of.deaths_alone
        naming = partial(self._inflight.name_chunk, of.tenant_id, of.operation_id, counted=counted)
        if await self._inflight.is_careful():  # already to look may crash the server
            return await naming(), await next_people(tx, of, rows)
        # Beside each other, since the name goes over a session of its own.
        return await both(naming(), next_people(tx, of, rows))

    async def _reread(self, tenant_id: int, *, goes_on: bool = True) -> None:
        """What is queued goes first: the pass that takes it brings the tenant back here, or the poll does."""
        owed = await still_open(self._database, [tenant_id])
        if tenant_id in owed.queued:
            self._ready.add(tenant_id)
        elif goes_on and tenant_id in owed.running:
            self.add(tenant_id)

    async def _failed_safely(self, tenant_id: int, error: Exception) -> None:
        try:
            await self._inflight.clear_chunk()
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
