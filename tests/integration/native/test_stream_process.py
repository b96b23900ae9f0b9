"""An event stream on a real server: it ends properly when the process is told to stop, and does not hold it up."""

import asyncio

import httpx

from domain.events import EventType
from infra.local.ports import free_port
from infra.postgres.administration import create_token
from tests.support.directory import add_events
from tests.support.processes import api_process

# Well below the server's own grace period of 8 s, after which it cuts connections.
PROMPTLY = 5.0


async def ready(client):
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                continue


async def test_a_stopping_server_lets_its_streams_end(database_url, database, sql, tenant, tmp_path):
    await add_events(sql, tenant.id, "acme", (EventType.USER_UPDATED, 3))
    issued = await create_token(database, tenant_key="acme", scopes=["operations:read"])
    headers = {"Authorization": f"Bearer {issued.token}", "Accept": "text/event-stream"}
    port, log = free_port(), tmp_path / "api.log"
    with api_process(log, port, database_url=database_url) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            await ready(client)
            async with client.stream("GET", "/v1/events", headers=headers) as response:
                lines = response.aiter_lines()
                ids = [line async for line in _first(lines, 3)]
                process.terminate()
                left = [line async for line in lines if line.startswith("id:")]
        await asyncio.to_thread(process.wait, PROMPTLY)
    assert ids == [f"id: {sequence:019}" for sequence in (1, 2, 3)]
    assert left == []
    assert "Traceback" not in log.read_text()


async def _first(lines, count):
    async for line in lines:
        if line.startswith("id:"):
            yield line
            count -= 1
            if not count:
                return
