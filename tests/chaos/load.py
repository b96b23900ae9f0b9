"""The callers: each sends one call at a time to an API process of its own choice, until the call's fate is known.

One rule: a repetition is sent under the same Idempotency-Key, to whichever process; a caller that is told that nothing
was accepted may go away instead.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.chaos.book import Answer, Book, Call, Fate, Request
from tests.chaos.requests import Caller
from tests.chaos.tenants import Tenant

# Between two calls of one caller, on average: about a hundred calls a second of all, half of what two cores can do.
_THINK_SECONDS = 0.15
_WAIT_SECONDS = 5
_PATIENCE_SECONDS = 9.0
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 1.0
_GIVES_UP = 0.2
# Now and then a call that is known is sent again at once.
_REPEATS = 0.03
_MOST_IDS = 50


@dataclass(slots=True, kw_only=True)
class Load:
    """All callers of a run. `addresses` are the API processes as callers reach them."""

    seed: int
    addresses: Sequence[str]
    tenants: Sequence[Tenant]
    book: Book = field(default_factory=Book)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _clients: list[httpx.AsyncClient] = field(default_factory=list)

    def start(self) -> None:
        """Let every caller begin."""
        for tenant in self.tenants:
            for number in range(tenant.plan.callers):
                name = f"{self.seed}-{tenant.key}-{number}"
                self._tasks.append(asyncio.create_task(self._call_on(tenant, name), name=name))

    async def finish(self, *, seconds: float) -> None:
        """Let every caller end with the call at hand; whoever does not know its fate by then is cut short."""
        self._stopping.set()
        _, pending = await asyncio.wait(self._tasks, timeout=seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def until_known(self, tenant: Tenant, call: Call, rng: random.Random) -> None:
        """Send the call until its fate is known."""
        pause = _FIRST_PAUSE
        while call.answer is None and not call.is_given_up:
            await self.attempt(tenant, call, rng, deferred=call.request.is_deferred and not call.fates)
            if call.answer is not None:
                return
            if call.certainly_not_accepted and call.poison is None and rng.random() < _GIVES_UP:
                self.book.give_up(call)
                return
            await asyncio.sleep(pause * rng.uniform(0.5, 1.0))
            pause = min(pause * 2, _LAST_PAUSE)

    async def attempt(self, tenant: Tenant, call: Call, rng: random.Random, *, deferred: bool = False) -> None:
        """Send it once, to one of the processes, and note what comes back."""
        client = rng.choice(self._clients)
        prefer = "respond-async" if deferred else f"wait={_WAIT_SECONDS}"
        headers = {**tenant.headers, "Idempotency-Key": call.key, "Prefer": prefer}
        content = None
        if call.request.body is not None:
            content, headers["Content-Type"] = json.dumps(call.request.body), "application/json"
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                got = await client.request(call.request.method, call.request.path, content=content, headers=headers)
        except httpx.ConnectError:
            self.book.lost_sight(call, Fate.REFUSED)
        except (httpx.TransportError, TimeoutError):
            self.book.lost_sight(call, Fate.UNKNOWN)
        else:
            operation_id = got.headers.get("Seatline-Operation")
            self.book.took(call, Answer(status=got.status_code, body=got.content, operation_id=operation_id))

    async def _call_on(self, tenant: Tenant, name: str) -> None:
        rng, asked = random.Random(name), random.Random(f"{name}-requests")
        caller, number = Caller(tenant=tenant, rng=asked), 0
        while not self._stopping.is_set():
            call = Call(key=f"{name}-{number}", tenant=tenant.key, request=caller.next())
            number += 1
            self.book.begin(call)
            await self.until_known(tenant, call, rng)
            _learn(caller, call)
            if call.answer is not None and call.was_accepted and rng.random() < _REPEATS:
                await self.attempt(tenant, call, rng)
            await asyncio.sleep(rng.expovariate(1 / _THINK_SECONDS))


@asynccontextmanager
async def clients(load: Load) -> AsyncIterator[Load]:
    """The load with its connections, one client for each API process."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    load._clients = [  # its own
        httpx.AsyncClient(base_url=url, timeout=_PATIENCE_SECONDS, limits=limits, trust_env=False)
        for url in load.addresses
    ]
    try:
        yield load
    finally:
        for client in load._clients:
            await client.aclose()


def poison_call(tenant: Tenant, key: str, request: Request, *, poison: str) -> Call:
    """A call that must fail, and nothing else with it."""
    return Call(key=key, tenant=tenant.key, request=request, poison=poison)


def _learn(caller: Caller, call: Call) -> None:
    """Remember the assignment that an answer of the catalogue dialect names."""
    if call.answer is None or call.answer.status != 200 or not call.request.path.endswith("/program/assignment/"):
        return
    caller.assignment_ids = [*caller.assignment_ids[-_MOST_IDS:], json.loads(call.answer.body)["id"]]
