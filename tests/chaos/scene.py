"""What a fault can lay its hands on, and how one knows that the service has recovered from it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aio_pika.abc import AbstractChannel

from infra.rabbitmq.topology import Topology
from tests.chaos.administration import on_broker
from tests.chaos.book import Call, Request
from tests.chaos.fleet import Fleet
from tests.chaos.load import Load, poison_call
from tests.chaos.requests import crowd_request
from tests.chaos.servers import Servers
from tests.chaos.subscriber import Subscriber
from tests.chaos.tenants import Tenant

_ASK_SECONDS = 5.0
_GLANCE = 0.1
_NUMBERED = "SELECT key, event_seq FROM tenant_log JOIN tenant ON tenant.id = tenant_id"


@dataclass(slots=True, kw_only=True)
class Scene:
    """One run: its servers, processes, callers, subscriber, and the seeded choices of its faults."""

    servers: Servers
    database_url: str
    topology: Topology
    fleet: Fleet
    load: Load
    subscriber: Subscriber
    tenants: Sequence[Tenant]
    rng: random.Random
    poison: list[Call] = field(default_factory=list)
    """Calls that must fail, and nothing else."""
    unknown_kinds: list[str] = field(default_factory=list)
    """Operations of a kind that this version does not know."""
    bad_envelopes: int = 0
    failures: list[str] = field(default_factory=list)
    """Faults that could not strike."""
    meanwhile: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How a fault that only lasts spends its time: the runner lets other faults strike."""
    _crowd_changes: int = 0

    async def ask(self, statement: str, *arguments: object, seconds: float = _ASK_SECONDS) -> list[Any]:
        """Rows of a statement, on a connection of its own past every proxy."""
        async with asyncio.timeout(seconds):
            connection = await asyncpg.connect(self.database_url)
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                connection.terminate()

    async def on_broker(self, work: Callable[[AbstractChannel], Awaitable[None]]) -> None:
        """Do something on a channel of our own past every proxy (`administration.on_broker`)."""
        await on_broker(self.servers.amqp_url, work)

    async def unreadable(self) -> int:
        """How many messages are set aside."""
        depths: list[int] = []

        async def look(channel: AbstractChannel) -> None:
            queue = await channel.declare_queue(self.topology.unreadable_queue, passive=True)
            depths.append(queue.declaration_result.message_count or 0)

        await self.on_broker(look)
        return depths[0]

    async def poisoned(self, tenant: Tenant, group: str, *, kind: str) -> Call:
        """Ask for a poisoned group and wait until that call's fate is known."""
        key = f"{group}-{len(self.poison)}"
        request = Request(dialect="native", method="PUT", path=f"/v1/groups/{key}", body={"name": "poison"})
        call = poison_call(tenant, f"{self.load.seed}-{key}", request, poison=kind)
        self.poison.append(call)
        self.load.book.begin(call)
        await self.load.until_known(tenant, call, self.rng)
        return call

    async def change_crowd(self) -> None:
        """Give the large group its licence, or take it away: work for several chunks."""
        self._crowd_changes += 1
        tenant = next(tenant for tenant in self.tenants if tenant.crowd is not None)
        request = crowd_request(tenant, active=self._crowd_changes % 2 == 0)
        call = Call(key=f"{self.load.seed}-crowd-{self._crowd_changes}", tenant=tenant.key, request=request)
        self.load.book.begin(call)
        await self.load.until_known(tenant, call, self.rng)

    async def recovered(self, ended: float, *, limit: float, events: bool) -> float | None:
        """The seconds from then until all is as before: None when it takes longer than `limit`.

        Every tenant has had an answer to a call that began since, no call from before is still unknown, all processes
        serve, and, where the broker is there, the subscriber has every event that was numbered when the fault ended.
        """
        targets: dict[str, int] | None = None
        while time.monotonic() - ended < limit:
            with suppress(OSError, asyncpg.PostgresError, TimeoutError):
                if targets is None:
                    targets = {row["key"]: row["event_seq"] for row in await self.ask(_NUMBERED)}
                if self._answers(ended) and (not events or self._announced(targets)) and await self._serves():
                    return time.monotonic() - ended
            await asyncio.sleep(_GLANCE)
        return None

    def missing(self, ended: float) -> str:
        """What has not recovered, for people."""
        waiting = [tenant.key for tenant in self.tenants if not self.load.book.answered_since(tenant.key, ended)]
        oldest = self.load.book.oldest_open()
        age = "" if oldest is None else f", oldest open call {time.monotonic() - oldest:.1f} s"
        return f"not answered since: {', '.join(waiting) or 'none'}{age}"

    def _answers(self, ended: float) -> bool:
        oldest = self.load.book.oldest_open()
        return (oldest is None or oldest > ended) and all(
            self.load.book.answered_since(tenant.key, ended) for tenant in self.tenants
        )

    def _announced(self, targets: dict[str, int]) -> bool:
        return all(self.subscriber.last(tenant) >= sequence for tenant, sequence in targets.items())

    async def _serves(self) -> bool:
        alive = all(m.child is not None and not m.child.has_ended() for m in self.fleet.members.values())
        return alive and all(await asyncio.gather(*(asyncio.to_thread(lambda m=m: m.is_serving) for m in self._all())))

    def _all(self) -> list[Any]:
        return list(self.fleet.members.values())
