"""Callers of the service under measurement, who also wait for what they have asked to end."""

import asyncio

import httpx

from tests.benchmarks.service import Service

_OPEN = frozenset({"queued", "running"})
# Seldom, since every look costs what it measures.
_LOOK_SECONDS = 0.05


def client_of(started: Service, token: str) -> httpx.AsyncClient:
    """A client with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=started.url, headers=headers, timeout=60, trust_env=False)


async def until_ended(client: httpx.AsyncClient, path: str) -> None:
    """Look at the operation at this path until it has ended."""
    while (await client.get(path)).raise_for_status().json()["status"] in _OPEN:  # noqa: ASYNC110 - another process
        await asyncio.sleep(_LOOK_SECONDS)


async def until_none(client: httpx.AsyncClient, path: str) -> None:
    """Look at the list at this path until nothing is in it."""
    while (await client.get(path)).raise_for_status().json()["items"]:  # noqa: ASYNC110 - as above
        await asyncio.sleep(_LOOK_SECONDS)
