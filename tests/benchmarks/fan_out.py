"""A licence given to a group of 100,000 and of 1,000,000 members, beside the raw SQL that writes the same rows.

One rule: what stands in the way is measured too: single calls of another tenant, and the worker's memory, meanwhile.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle
from typing import Any, NamedTuple, Self

import asyncpg
import httpx

from domain.scopes import TENANT_SCOPES
from infra.local import databases
from infra.postgres import administration
from infra.postgres.database import Database
from tests.benchmarks import chunk_statements
from tests.benchmarks.clients import client_of, until_ended
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.seats import new_license
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.workload import PEOPLE, SEAT_PATH

SECTION = "fan-out"
MEMBERS = 100_000
MANY_MEMBERS = 1_000_000
MEGABYTE = 1_000_000
GRANT_PATH = "/api/catalog/licenses/program/assignment/group/"
IDLE_CALLS = 60

# A group's members, straight into the tables: what they cost is another figure's matter.
_TENANT = "SELECT id FROM tenant WHERE key = $1"
_PEOPLE = """
INSERT INTO app_user (tenant_id, key, username, username_key)
SELECT $1, 'm' || n, 'm' || n, 'm' || n FROM generate_series(1, $2::bigint) AS n
"""
_GROUP = "INSERT INTO user_group (tenant_id, key, name) VALUES ($1, 'everybody', 'Everybody') RETURNING id"
_ASSIGNMENTS = """
INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources)
SELECT $1, $2, app_user.id, role.id, 1 FROM app_user, role
 WHERE app_user.tenant_id = $1 AND role.tenant_id = $1 AND role.key = 'member'
"""
_MEMBERS = """
INSERT INTO group_member (tenant_id, group_id, user_id) SELECT tenant_id, $2, id FROM app_user WHERE tenant_id = $1
"""
_COUNTS = "UPDATE user_group SET user_count = $3, assignment_count = $3 WHERE tenant_id = $1 AND id = $2"

_RAW = """
WITH given AS (
    INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)
    SELECT tenant_id, 1, user_id, 1, 1 FROM group_member WHERE tenant_id = $1 AND group_id = $2 ORDER BY user_id
    RETURNING tenant_id, id)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)
SELECT tenant_id, id, 1, 1, '00000000-0000-0000-0000-000000000001' FROM given
"""


async def measure(plan: Plan) -> list[Figure]:
    """Of each size: the raw rows, then the service, in turns."""
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()
        bystander = await Bystander.born(started)
        tenants = count()

        async def step(sheet: Sheet, members: int) -> None:
            raw = await _raw_seconds(plan, members)
            sheet.note(f"{members:,} members: raw INSERT … SELECT", raw, "s")
            seconds = await _note_fan_out(sheet, started, f"fan-out-{next(tenants)}", members, bystander)
            sheet.note(f"{members:,} members: times the raw rows", seconds / raw, "", under(2))
            alone = await _alone_seconds(plan, members)
            sheet.note(f"{members:,} members: the statements of its chunks alone", alone, "s")
            sheet.note(f"{members:,} members: that is, times the raw rows", alone / raw, "")

        sizes = (MEMBERS // 10,) if plan.quick else (MEMBERS, MANY_MEMBERS)
        return await plan.measure(SECTION, *(partial(step, members=members) for members in sizes))


@dataclass(slots=True, kw_only=True)
class Bystander:
    """Another tenant, whose single calls must not suffer."""

    client: httpx.AsyncClient
    license_id: int
    people: Iterator[str]

    @classmethod
    async def born(cls, started: Service) -> Self:
        """A tenant with people, and a licence for all of them."""
        token = await new_tenant(started, "bystander")
        client = client_of(started, token)
        return cls(
            client=client,
            license_id=await new_license(client, "bystander", None),
            people=cycle(f"p{number:04}" for number in range(PEOPLE)),
        )

    async def call(self) -> float:
        """One call that gives a seat, or changes what is noted with it; how many milliseconds it took."""
        began = time.perf_counter()
        body = {"license_id": self.license_id, "username": next(self.people), "metadata": {"at": began}}
        answer = await self.client.post(SEAT_PATH, json=body, headers={"Prefer": "wait=60"})
        answer.raise_for_status()
        return (time.perf_counter() - began) * 1_000

    async def median_while(self, running: Callable[[], bool]) -> float:
        """The median of calls one after the other for as long as something runs."""
        latencies = [await self.call()]
        while running():
            latencies.append(await self.call())
        return statistics.median(latencies)


async def _note_fan_out(sheet: Sheet, started: Service, tenant: str, members: int, bystander: Bystander) -> float:
    """How long it took, undisturbed, from the request to the operation's end, in seconds; notes the rest."""
    group_id, token = await crowd(started, tenant, members)
    async with client_of(started, token) as client:
        first, whole = await fan_out(client, await new_license(client, "for-everybody", members), group_id)
        sheet.note(f"{members:,} members: first answer", first, "s", under(1))
        sheet.note(f"{members:,} members: all have their seat", whole, "s")
        await _check(client, "for-everybody", members)
        await _note_bystander(sheet, started, client, group_id=group_id, members=members, bystander=bystander)
    return whole


async def _note_bystander(
    sheet: Sheet, started: Service, client: httpx.AsyncClient, *, group_id: int, members: int, bystander: Bystander
) -> None:
    """A second licence for the same group, while another tenant posts single calls."""
    license_id = await new_license(client, "once-more", members)
    calls = iter(range(IDLE_CALLS))
    idle = await bystander.median_while(lambda: next(calls, None) is not None)
    fanning_out = asyncio.create_task(fan_out(client, license_id, group_id))
    busy = asyncio.create_task(bystander.median_while(lambda: not fanning_out.done()))
    memory = await largest_worker(started, fanning_out)
    sheet.note(f"{members:,} members: worker's memory at most (RSS)", memory, "MB", under(200))
    sheet.note(f"{members:,} members: another tenant's single calls, median when idle", idle, "ms")
    sheet.note(f"{members:,} members: the same meanwhile", await busy, "ms")
    sheet.note(f"{members:,} members: that is, times the idle median", await busy / idle, "times", under(3))
    await _check(client, "once-more", members)


async def fan_out(client: httpx.AsyncClient, license_id: int, group_id: int) -> tuple[float, float]:
    """Seconds to the first answer and to the operation's end."""
    began = time.perf_counter()
    answer = await client.post(GRANT_PATH, json={"license_id": license_id, "group_id": group_id})
    answer.raise_for_status()
    first = time.perf_counter() - began
    await until_ended(client, f"/v1/operations/{answer.headers['Seatline-Operation']}")
    return first, time.perf_counter() - began


async def largest_worker(started: Service, running: asyncio.Task[Any]) -> float:
    """The most memory that the worker had while this ran, in MB."""
    worker = started.servers.processes()["worker"]
    most = 0
    while not running.done():
        most = max([most, *(process.memory_info().rss for process in worker)])
        await asyncio.wait([running], timeout=0.05)
    return most / MEGABYTE


async def _check(client: httpx.AsyncClient, key: str, members: int) -> None:
    """The pool says that everybody has a seat.

    Raises:
        RuntimeError: it does not.
    """
    pool = (await client.get(f"/v1/licenses/{key}")).raise_for_status().json()
    if (pool["used"], pool["reserved"], pool["waiting"]) != (members, 0, 0):
        raise RuntimeError(f"{members} members, but the pool says {pool}")


async def crowd(started: Service, tenant: str, members: int) -> tuple[int, str]:
    """A tenant with one group of so many people; the group's id and a token."""
    database = Database(started.database_url, size=1)
    try:
        await administration.create_tenant(database, key=tenant, org=f"{tenant}-org", name=tenant)
        issued = await administration.create_token(database, tenant_key=tenant, scopes=TENANT_SCOPES)
    finally:
        await database.close()
    connection = await asyncpg.connect(started.database_url)
    try:
        tenant_id = await connection.fetchval(_TENANT, tenant)
        return await _fill(connection, tenant_id, members), issued.token
    finally:
        await connection.close()


async def _fill(connection: asyncpg.Connection, tenant_id: int, members: int) -> int:
    await connection.execute(_PEOPLE, tenant_id, members)
    group_id = int(await connection.fetchval(_GROUP, tenant_id))
    await connection.execute(_ASSIGNMENTS, tenant_id, group_id)
    await connection.execute(_MEMBERS, tenant_id, group_id)
    await connection.execute(_COUNTS, tenant_id, group_id, members)
    await connection.execute("VACUUM ANALYZE app_user, group_member, group_assignment")
    return group_id


async def _raw_seconds(plan: Plan, members: int) -> float:
    """The same rows into the same tables with their indexes, in one statement, in a database of its own."""
    async with _filled(plan, members) as filled:
        began = time.perf_counter()
        await filled.connection.execute(_RAW, filled.tenant_id, filled.group_id)
        return time.perf_counter() - began


async def _alone_seconds(plan: Plan, members: int) -> float:
    """The same by the statements of chunks alone, in a database of its own as well."""
    async with _filled(plan, members) as filled:
        return await chunk_statements.seconds(
            filled.url, tenant_id=filled.tenant_id, group_id=filled.group_id, license_id=1, members=members
        )


class _Filled(NamedTuple):
    """A database with one tenant and its one group, and the connection that has filled it."""

    url: str
    connection: asyncpg.Connection
    tenant_id: int
    group_id: int


@asynccontextmanager
async def _filled(plan: Plan, members: int) -> AsyncIterator[_Filled]:
    url = databases.create(plan.servers.database_url)
    try:
        database = Database(url, size=1)
        try:
            tenant = await administration.create_tenant(database, key="alone", org="alone", name="Alone")
        finally:
            await database.close()
        connection = await asyncpg.connect(url)
        try:
            yield _Filled(url, connection, tenant.id, await _fill(connection, tenant.id, members))
        finally:
            await connection.close()
    finally:
        databases.drop(url)
