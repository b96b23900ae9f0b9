"""Tells streams when their tenant's log has grown: one poll for all streams of the process.

One rule: a stream looks at its log only when it has grown; nobody polls while nobody follows.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import cast

import structlog
from fastapi import FastAPI, Request

from api.http.services import services_of
from api.native.stopping import on_stop_signal
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.reads.events import heads

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
_PAUSE_AFTER_FAULT = 1.0


class LogFollower:
    """Watches the logs of the tenants that have streams open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams: dict[int, int] = {}
        self._heads: dict[int, int] = {}
        self._grown = asyncio.Event()
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_stopping(self) -> bool:
        """The process ends: streams should too."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let all streams end, and any that opens later."""
        self._stopped.set()
        self._wake()

    async def close(self) -> None:
        """Stop, and end the poll."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def watching(self, tenant_id: int) -> Iterator[None]:
        """Keep an eye on the tenant's log for the length of the block."""
        self._streams[tenant_id] = self._streams.get(tenant_id, 0) + 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll(), name="log-follower")
        try:
            yield
        finally:
            self._streams[tenant_id] -= 1
            if not self._streams[tenant_id]:
                del self._streams[tenant_id]
                self._heads.pop(tenant_id, None)

    async def beyond(self, tenant_id: int, sequence: int) -> None:
        """Return when the tenant's log reaches beyond the sequence, or when the process ends."""
        while self._heads.get(tenant_id, 0) <= sequence and not self.is_stopping:
            await self._grown.wait()

    async def _poll(self) -> None:
        while self._streams and not self.is_stopping:
            pause = POLL_SECONDS
            try:
                found = await heads(self._database, list(self._streams))
            except Exception as error:
                if not is_transient(error):
                    log.exception("the logs' heads could not be read")
                pause = _PAUSE_AFTER_FAULT
            else:
                if any(self._heads.get(tenant_id) != head for tenant_id, head in found.items()):
                    self._heads = found
                    self._wake()
            await asyncio.sleep(pause)

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()


@asynccontextmanager
async def following(app: FastAPI) -> AsyncIterator[None]:
    """The lifespan of the routes that follow: a follower for the application's time, stopped at the first signal."""
    follower = LogFollower(services_of({"app": app}).database)
    app.state.log_follower = follower
    with on_stop_signal(follower.stop):
        yield
    await follower.close()


def follower_of(request: Request) -> LogFollower:
    """The follower of the application."""
    return cast("LogFollower", request.app.state.log_follower)
