"""An API process ends while a caller waits: what it accepted is applied, and the caller finds the one answer."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from domain.scopes import TENANT_SCOPES
from infra.local.ports import free_port
from infra.postgres.administration import create_tenant, create_token
from infra.postgres.database import Database
from infra.postgres.statements import compile_block
from tests.support.processes import api_process, worker_process
from tests.support.waiting import found

ENDS_SECONDS = 10


@pytest.fixture
async def database(database_url):
    database = Database(database_url, size=2)
    yield database
    await database.close()


@asynccontextmanager
async def served(database_url, database, headers, log):
    """A client of an API process of its own, and that process."""
    port = free_port()
    with api_process(log, port, database_url=database_url) as process:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60
        ) as client:

            async def ready():
                try:
                    return (await client.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await found(ready)
            yield client, process


async def caller_of(database) -> dict[str, str]:
    await create_tenant(database, key="acme", org="acme-org", name="Acme")
    issued = await create_token(database, tenant_key="acme", scopes=TENANT_SCOPES)
    return {"Authorization": f"Bearer {issued.token}", "Idempotency-Key": "k", "Prefer": "wait=60"}


async def waiting(client, database) -> "asyncio.Task[httpx.Response]":
    """A call that is accepted and waits, since nobody applies it."""
    call = asyncio.create_task(client.put("/v1/groups/one", json={"name": "One"}))
    await found(lambda: database.fetch(compile_block("asked", "SELECT 1 FROM operation")))
    return call


async def test_a_caller_that_waits_while_the_api_stops_is_told_where_to_look(database_url, database, tmp_path):
    headers = await caller_of(database)
    async with served(database_url, database, headers, tmp_path / "log") as (client, process):
        call = await waiting(client, database)
        process.terminate()
        answer = await call
        await asyncio.to_thread(process.wait, ENDS_SECONDS)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/operations/{answer.headers['Seatline-Operation']}"


async def test_an_api_that_is_killed_while_a_caller_waits_leaves_one_operation_and_its_answer(
    database_url, database, tmp_path
):
    headers = await caller_of(database)
    async with served(database_url, database, headers, tmp_path / "first.log") as (client, process):
        call = await waiting(client, database)
        process.kill()
        with pytest.raises(httpx.TransportError):
            await call
    with worker_process(tmp_path / "worker.log", database_url=database_url):
        async with served(database_url, database, headers, tmp_path / "second.log") as (client, _):
            answer = await client.put("/v1/groups/one", json={"name": "One"})
    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert len(await database.fetch(compile_block("asked", "SELECT 1 FROM operation"))) == 1
