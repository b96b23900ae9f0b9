"""Tells streams when their tenant's log has grown: one poll for all streams of the process.

One rule: a stream looks at its log only when it has grown.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

from fastapi import FastAPI, Request
from typing_extensions import override

from api.http.services import services_of
from api.native.lookout import Lookout
from api.native.stopping import on_stop_signal
from infra.postgres.database import Database
from infra.postgres.reads.events import heads

POLL_SECONDS = 0.1


class LogFollower(Lookout):
    """Watches the logs of the tenants that have streams open."""

    name = "log-follower"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._streams: dict[int, int] = {}
        self._heads: dict[int, int] = {}

    @contextmanager
    def watching(self, tenant_id: int) -> Iterator[None]:
        """Keep an eye on the tenant's log for the length of the block."""
        self._streams[tenant_id] = self._streams.get(tenant_id, 0) + 1
        try:
            with self.watched():
                yield
        finally:
            self._streams[tenant_id] -= 1
            if not self._streams[tenant_id]:
                del self._streams[tenant_id]
                self._heads.pop(tenant_id, None)

    async def beyond(self, tenant_id: int, sequence: int) -> None:
        """Return when the tenant's log reaches beyond the sequence, or when the process ends."""
        while self._heads.get(tenant_id, 0) <= sequence and not self.is_stopping:
            await self.news()

    @override
    async def look(self) -> float:
        found = await heads(self._database, list(self._streams))
        if any(self._heads.get(tenant_id) != head for tenant_id, head in found.items()):
            self._heads = found
            self.tell()
        return POLL_SECONDS


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
