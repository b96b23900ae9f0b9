"""What ends much at once: a grant to 100,000 members, as many people in batches, a group of them with all it gave.

One rule: after each the pool says that nobody holds a seat, or there is no figure.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count

import httpx

from tests.benchmarks.clients import client_of, until_ended
from tests.benchmarks.fan_out import GRANT_PATH, MEMBERS, crowd, fan_out, largest_worker
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.seats import new_license
from tests.benchmarks.service import Service, service

SECTION = "endings"
BATCH = 1_000
# As in fan_out: every look costs what it measures.

Ending = Callable[[httpx.AsyncClient, int], Awaitable[None]]


async def measure(plan: Plan) -> list[Figure]:
    """Each ending of a crowd of its own, in turns."""
    members = MEMBERS // 10 if plan.quick else MEMBERS
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()
        tenants = count()

        async def step(sheet: Sheet) -> None:
            for name, ending in ENDINGS.items():
                await _note(sheet, started, f"{name}-{next(tenants)}", members, ending)

        return await plan.measure(SECTION, step)


async def withdraw(client: httpx.AsyncClient, _members: int) -> None:
    """Delete the grant, and wait until everybody has been come to."""
    [grant] = (await client.get(GRANT_PATH, params={"license_id": await _license_id(client)})).json()["results"]
    await _ended(client, await client.delete(GRANT_PATH, params={"assignment_id": grant["id"]}))


async def deactivate(client: httpx.AsyncClient, members: int) -> None:
    """Deactivate everybody, a thousand a call, one call after the other."""
    for begin in range(1, members + 1, BATCH):
        numbers = range(begin, min(begin + BATCH, members + 1))
        items = [{"key": f"m{number}", "username": f"m{number}", "active": False} for number in numbers]
        answer = await client.post("/v1/users:batch", json={"items": items}, headers={"Prefer": "wait=60"})
        await _ended(client, answer)


async def delete_group(client: httpx.AsyncClient, _members: int) -> None:
    """Delete the group with all that it gives, and wait until everybody has been come to."""
    await _ended(client, await client.delete("/v1/groups/everybody", params={"cascade": "true"}))


ENDINGS: dict[str, Ending] = {"withdraw": withdraw, "deactivate": deactivate, "delete-group": delete_group}
_TITLES = {
    "withdraw": "a grant is withdrawn",
    "deactivate": "all are deactivated, 1,000 a call",
    "delete-group": "a group is deleted with all it gave",
}


async def _note(sheet: Sheet, started: Service, tenant: str, members: int, ending: Ending) -> None:
    title = f"{members:,} members: {_TITLES[tenant.rpartition('-')[0]]}"
    group_id, token = await crowd(started, tenant, members)
    async with client_of(started, token) as client:
        await fan_out(client, await new_license(client, "for-everybody", members), group_id)
        began = time.perf_counter()
        running = asyncio.create_task(_timed(ending(client, members)))
        memory = await largest_worker(started, running)
        sheet.note(title, await running - began, "s")
        sheet.note(f"{title}: worker's memory at most (RSS)", memory, "MB", under(200))
        await _check(client)


async def _timed(ending: Awaitable[None]) -> float:
    await ending
    return time.perf_counter()


async def _ended(client: httpx.AsyncClient, answer: httpx.Response) -> None:
    answer.raise_for_status()
    await until_ended(client, f"/v1/operations/{answer.headers['Seatline-Operation']}")


async def _license_id(client: httpx.AsyncClient) -> int:
    return int((await client.get("/v1/licenses/for-everybody")).raise_for_status().json()["id"])


async def _check(client: httpx.AsyncClient) -> None:
    """The pool says that nobody has a seat.

    Raises:
        RuntimeError: it does not.
    """
    pool = (await client.get("/v1/licenses/for-everybody")).raise_for_status().json()
    if (pool["used"], pool["reserved"]) != (0, 0):
        raise RuntimeError(f"nobody should hold a seat, but the pool says {pool}")
