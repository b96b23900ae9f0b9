"""The service as a browser meets it: a real server on a port of its own, with a worker, in the test's own loop.

One rule: what a test wants to see happens through the API, by tenants of its own, so that tests can share the room.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from domain.commands import Kind
from domain.planning import Decision, Order
from domain.scopes import TENANT_SCOPES
from infra.postgres.administration import create_tenant, create_token
from infra.postgres.database import Database, Transaction
from infra.settings import Settings
from tests.support.waiting import eventually
from workers.chunk_sizes import ChunkSizes
from workers.handlers import HANDLERS, handlers_with
from workers.main import Worker

POISON = "poison"


class PoisonedError(Exception):
    """What an operation raises while the poison works."""


@dataclass(slots=True)
class Poison:
    """Makes commands of groups fail whose name begins with POISON, until somebody has found the cause."""

    works: bool = True

    async def put_groups(self, tx: Transaction, orders: Sequence[Order[Any]], at: Any) -> list[Decision]:
        """The real handler, unless a name is poison."""
        names = [item.name for order in orders for item in order.command.items]
        if self.works and any(name.startswith(POISON) for name in names):
            raise PoisonedError
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)


@dataclass(slots=True, kw_only=True)
class Company:
    """One tenant, calling the API over HTTP."""

    key: str
    token: str
    client: httpx.AsyncClient

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request and expect that it is understood."""
        response = await self.ask(method, path, body, **headers)
        assert response.status_code < 300 or response.status_code >= 500, response.text
        return response

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request, whatever becomes of it."""
        return await self.client.request(
            method, path, json=body, headers={"Authorization": f"Bearer {self.token}", **headers}
        )

    async def put_group(self, key: str, name: str = "", **headers: str) -> httpx.Response:
        """A small command."""
        return await self.call("PUT", f"/v1/groups/{key}", {"name": name or key}, **headers)

    async def queue(self, key: str) -> str:
        """A small command that nobody waits for; its operation's id."""
        response = await self.put_group(key, Prefer="respond-async")
        assert response.status_code == 202, response.text
        return response.headers["seatline-operation"]

    async def fail(self, key: str, name: str = POISON, **headers: str) -> str:
        """A command that becomes a dead letter; its operation's id."""
        response = await self.put_group(key, name, **headers)
        assert response.status_code == 500, response.text
        return response.headers["seatline-operation"]


@dataclass(slots=True, kw_only=True)
class Room:
    """The running service."""

    url: str
    settings: Settings
    client: httpx.AsyncClient
    database: Database
    poison: Poison
    workers: list[Worker] = field(default_factory=list)

    async def company(self, name: str = "") -> Company:
        """A new tenant, called `name` by people."""
        key = f"t{secrets.token_hex(4)}"
        await create_tenant(self.database, key=key, org=f"{key}-org", name=name or key)
        issued = await create_token(self.database, tenant_key=key, scopes=TENANT_SCOPES)
        return Company(key=key, token=issued.token, client=self.client)

    async def operator(self, *scopes: str, **options: Any) -> str:
        """A new operator token."""
        return (await create_token(self.database, tenant_key=None, scopes=scopes, **options)).token

    async def start_worker(self, *, chunk_rows: int | None = None) -> None:
        """One more worker; `chunk_rows` makes it do large changes in chunks of so many rows."""
        sizes = ChunkSizes(rows=chunk_rows)
        handlers = {**handlers_with(sizes), Kind.PUT_GROUPS: self.poison.put_groups}
        worker = Worker(self.settings, handlers=handlers, sizes=sizes)
        await worker.start()
        self.workers.append(worker)

    async def stop_workers(self) -> None:
        """Nobody applies anything any more."""
        while self.workers:
            await self.workers.pop().stop()


@asynccontextmanager
async def room(database_url: str, **settings: Any) -> AsyncIterator[Room]:
    """The service on a free port, with one worker."""
    values = Settings(database_url=database_url, api_port=0, poll_seconds=0.05, **settings)
    config = uvicorn.Config(create_app(values), host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with AsyncExitStack() as stack:
        serving = asyncio.create_task(server._serve(), name="server")
        stack.push_async_callback(_ended, server, serving)
        await eventually(lambda: server.started or serving.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        database = Database(database_url, name="test", size=2)
        stack.push_async_callback(database.close)
        url = f"http://127.0.0.1:{port}"
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30))
        made = Room(url=url, settings=values, client=client, database=database, poison=Poison())
        stack.push_async_callback(made.stop_workers)
        await made.start_worker()
        yield made


async def _ended(server: uvicorn.Server, serving: "asyncio.Task[None]") -> None:
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving
