"""Seats over HTTP: one person's licence, many callers, the last seats of a pool, members who join a group with five."""

import statistics
from dataclasses import replace
from itertools import count

import asyncpg
import httpx

from tests.benchmarks.figures import Figure, Sheet, at_least, under
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.workload import CARRIER, PEOPLE, Load

SECTION = "seats"
CARRIED = 5
LAST_SEATS = 1_000
_HOLDERS = """
SELECT count(*) AS holders, count(DISTINCT user_id) AS people FROM entitlement WHERE license_id = $1 AND state = 1
"""
_SINGLE = Load(first=0, requests=300, items=1, callers=1, warm_up=30, kind="seats")
_CALLERS = Load(first=0, requests=4_000, items=1, callers=64, warm_up=400, kind="seats")
_FIGHT = Load(first=0, requests=PEOPLE, items=1, callers=100, warm_up=0, kind="seats")
_JOIN = Load(first=0, requests=45, items=100, callers=16, warm_up=5, kind="members")


async def measure(plan: Plan) -> list[Figure]:
    """Every load once a round, each on pools of its own; a round has a tenant of its own."""
    tenants = count()
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()

        async def step(sheet: Sheet) -> None:
            token = await new_tenant(started, f"seats-{next(tenants)}")
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=started.url, headers=headers, timeout=60, trust_env=False) as client:
                await _note_singles(sheet, started, client, token, quick=plan.quick)
                await _note_fight(sheet, started, client, token)
                await _note_joins(sheet, started, client, token)

        return await plan.measure(SECTION, step)


async def new_license(client: httpx.AsyncClient, key: str, capacity: int | None) -> int:
    """A program licence; returns its numeric id."""
    body = {"name": key, "kind": "program", "program_key": key, "program_name": key, "capacity": capacity}
    answer = await client.put(f"/v1/licenses/{key}", json=body)
    answer.raise_for_status()
    return int(answer.json()["id"])


async def _note_singles(sheet: Sheet, started: Service, client: httpx.AsyncClient, token: str, *, quick: bool) -> None:
    load = replace(_SINGLE, license_id=await new_license(client, "single", None), requests=60 if quick else 300)
    latencies = (await started.play(token, load=load)).latencies
    sheet.note("one person's licence, one caller: median", statistics.median(latencies) * 1_000, "ms", under(15))
    load = replace(_CALLERS, license_id=await new_license(client, "callers", None), requests=800 if quick else 4_000)
    played = await started.play(token, load=load)
    sheet.note("one person's licence, 64 callers", load.requests / played.seconds, "calls/s", at_least(400))


async def _note_fight(sheet: Sheet, started: Service, client: httpx.AsyncClient, token: str) -> None:
    """The same requests to a pool with seats for all, and to one with seats for a fifth."""
    roomy = replace(_FIGHT, license_id=await new_license(client, "roomy", PEOPLE))
    scarce = replace(_FIGHT, license_id=await new_license(client, "scarce", LAST_SEATS))
    calm = await started.play(token, load=roomy)
    fight = await started.play(token, load=scarce, refusals=PEOPLE - LAST_SEATS)
    await _check_holders(started, scarce.license_id)
    what = f"{PEOPLE:,} requests of 100 callers"
    sheet.note(f"{what}, a seat for everybody", PEOPLE / calm.seconds, "calls/s")
    sheet.note(f"{what}, {LAST_SEATS:,} seats", PEOPLE / fight.seconds, "calls/s")
    sheet.note("  that is, times the rate without a fight", calm.seconds / fight.seconds, "", at_least(1))


async def _check_holders(started: Service, license_id: int) -> None:
    """Exactly as many people as seats hold one, nobody twice.

    Raises:
        RuntimeError: they do not.
    """
    connection = await asyncpg.connect(started.database_url)
    try:
        row = await connection.fetchrow(_HOLDERS, license_id)
    finally:
        await connection.close()
    if row is None or (row["holders"], row["people"]) != (LAST_SEATS, LAST_SEATS):
        raise RuntimeError(f"{LAST_SEATS} seats are held by {row}")


async def _note_joins(sheet: Sheet, started: Service, client: httpx.AsyncClient, token: str) -> None:
    group = (await client.put(f"/v1/groups/{CARRIER}", json={"name": "Carrier"})).raise_for_status().json()
    for number in range(CARRIED):
        license_id = await new_license(client, f"carried-{number}", None)
        grant = {"license_id": license_id, "group_id": group["id"]}
        answer = await client.post("/api/catalog/licenses/program/assignment/group/", json=grant)
        answer.raise_for_status()
    played = await started.play(token, load=_JOIN)
    members = _JOIN.requests * _JOIN.items / played.seconds
    sheet.note(f"members who join a group with {CARRIED} licences", members, "members/s", at_least(2_000))
    sheet.note("  that is, entitlements", members * CARRIED, "entitlements/s", at_least(10_000))
