"""The console over ASGI, as a browser that keeps its cookies calls it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from infra.postgres.administration import create_token
from tests.support.api import Api, without_worker

SIGN_IN = "/console/sign-in"


@dataclass(slots=True, kw_only=True)
class Visit:
    """One browser."""

    api: Api
    client: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, *, headers: dict[str, str] | None = None, **fields: object) -> httpx.Response:
        """Send a form."""
        return await self.client.post(path, data=fields, headers=headers)

    async def token(self, *scopes: str, **options: object) -> str:
        """A new operator token."""
        return (await create_token(self.api.services.database, tenant_key=None, scopes=scopes, **options)).token

    async def sign_in(self, *scopes: str) -> str:
        """Go through the door; the token."""
        token = await self.token(*(scopes or ("ops:write",)))
        assert (await self.post(SIGN_IN, token=token)).status_code == 303
        return token

    async def form_token(self, path: str = "/console/audit") -> str:
        """What the forms of this session carry."""
        return re.search(r'name="form_token" value="([0-9a-f]{64})"', (await self.get(path)).text)[1]


@asynccontextmanager
async def visiting(database_url: str, base_url: str = "http://ops.test", **settings: object) -> AsyncIterator[Visit]:
    """A browser before a console with these settings."""
    async with without_worker(database_url, **settings) as api:
        transport = httpx.ASGITransport(app=api.app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            yield Visit(api=api, client=client)


@pytest.fixture
async def visit(database_url: str) -> AsyncIterator[Visit]:
    async with visiting(database_url) as opened:
        yield opened
