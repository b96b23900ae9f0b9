"""The API in the test's own process: the real application and a real worker on a database, called over ASGI.

One rule: what a test arranges goes in through the intake, as everything does.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.http.services import Services
from api.intake import Submission
from domain.commands import Command, GroupPut, PutGroups, PutRoles, PutUsers, RolePut, UserPut
from domain.license_commands import LicenseKind, LicensePut, PutLicenses
from domain.outcomes import OperationStatus
from domain.scopes import TENANT_SCOPES
from infra.postgres.administration import Tenant, create_tenant, create_token
from infra.postgres.operations import Presentation
from infra.settings import Settings
from tests.support.drift import assert_no_drift
from tests.support.traces import Traces
from workers.main import Worker

ARRANGING = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Api:
    """One tenant's view of a running application. `headers` go with every call."""

    app: FastAPI
    client: httpx.AsyncClient
    tenant: Tenant
    headers: dict[str, str] = field(default_factory=dict)
    is_filled_by_hand: bool = False

    @property
    def services(self) -> Services:
        return self.app.state.services

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        """Send a request; a body goes as JSON."""
        if body is not None:
            options["json"] = body
        return await self.client.request(method, path, headers={**self.headers, **(headers or {})}, **options)

    async def arrange(self, *commands: Command) -> None:
        """Apply commands one after the other, each of which must succeed as a whole."""
        for command in commands:
            await self.arrange_together(command)

    async def arrange_together(self, *commands: Command) -> None:
        """Apply commands in whatever order, each of which must succeed as a whole."""
        submissions = (
            Submission(
                tenant_id=self.tenant.id, command=command, presentation=Presentation(form="none"), fingerprint=b""
            )
            for command in commands
        )
        intake = self.services.intake
        for answer in await asyncio.gather(*(intake.submit(one, wait=ARRANGING) for one in submissions)):
            assert answer.operation.status is OperationStatus.SUCCEEDED, answer.operation.response

    async def token(self, *scopes: str, **options: Any) -> dict[str, str]:
        """The Authorization header of a new token of this tenant."""
        issued = await create_token(self.services.database, tenant_key=self.tenant.key, scopes=scopes, **options)
        return {"Authorization": f"Bearer {issued.token}"}

    async def operator_token(self, *scopes: str) -> dict[str, str]:
        """The Authorization header of a new operator's token."""
        issued = await create_token(self.services.database, tenant_key=None, scopes=scopes)
        return {"Authorization": f"Bearer {issued.token}"}

    async def other_tenant(self, key: str) -> "Api":
        """The same application as another tenant sees it."""
        return await _api(self.app, self.client, key)


@asynccontextmanager
async def serving(
    database_url: str, *, with_worker: bool = True, traces: Traces | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """The application with a tenant `acme` whose token has every scope; a worker polls every 20 ms.

    `traces` collects the spans of both. At the end everything is recounted, unless the test has written into the
    tables itself.
    """
    values = Settings(database_url=database_url, **settings)
    app = create_app(values, tracer=traces and traces.tracer("seatline-api"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        if with_worker:
            worker = Worker(values, tracer=traces and traces.tracer("seatline-worker"))
            await worker.start()
            stack.push_async_callback(worker.stop)
        transport = httpx.ASGITransport(app=app)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://api.test"))
        api = await _api(app, client, "acme")
        yield api
        if not api.is_filled_by_hand:
            await assert_no_drift(app.state.services.database)


def without_worker(database_url: str, **settings: Any) -> AbstractAsyncContextManager[Api]:
    """The application alone: nothing is applied, so a write that is accepted is answered 202 after 0.2 s."""
    return serving(database_url, with_worker=False, wait_seconds=0.2, **settings)


async def _api(app: FastAPI, client: httpx.AsyncClient, key: str) -> Api:
    services: Services = app.state.services
    tenant = await create_tenant(services.database, key=key, org=f"{key}-org", name=key)
    api = Api(app=app, client=client, tenant=tenant)
    api.headers = await api.token(*TENANT_SCOPES)
    return api


def people(*keys: str, **fields: Any) -> PutUsers:
    """Users by their keys; the username is the key."""
    return PutUsers(items=tuple(UserPut(**{"key": key, "username": key, **fields}) for key in keys))


def groups(*keys: str) -> PutGroups:
    """Groups by their keys."""
    return PutGroups(items=tuple(GroupPut(key=key, name=f"Group {key}") for key in keys))


def roles(*keys: str, scope: str = "USER_GROUPS", **titles: str) -> PutRoles:
    """Roles by their keys, with the same titles by language."""
    return PutRoles(
        items=tuple(
            RolePut(key=key, permission_scope=scope, titles=titles or {"en": key.title(), "de": f"{key} (de)"})
            for key in keys
        )
    )


def bundles(**capacities: int | None) -> PutLicenses:
    """Bundle licences by their codes; a key is the code in lower case."""
    return PutLicenses(
        items=tuple(
            LicensePut(key=code.lower(), name=code, kind=LicenseKind.BUNDLE, capacity=capacity, code=code)
            for code, capacity in capacities.items()
        )
    )
