"""The tenant `demo` and its two tokens, made once and kept.

Its one rule: a token that still works is kept, so that what a person copied stays good.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from domain.administration import TenantAlreadyExistsError
from domain.scopes import TENANT_SCOPES
from infra.local.state import State
from infra.postgres import administration
from infra.postgres.database import Database
from workers.cli.public_api import PublicApi

T = TypeVar("T")

TENANT = "demo"
ORG = "demo-org"
NAME = "Demo"
OPERATOR_SCOPES = ("ops:write", "tenants:admin")
# A fact of the state: whether this tenant, made by us, still waits for its sample data.
SAMPLE = "sample"
MISSING, LOADED = "missing", "loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The token of the tenant `demo`, and an operator's."""

    tenant: str
    operator: str


def ensure_tenant(database_url: str, state: State) -> None:
    """Create the tenant where it does not exist."""

    async def create(database: Database) -> None:
        try:
            await administration.create_tenant(database, key=TENANT, org=ORG, name=NAME)
        except TenantAlreadyExistsError:
            return
        # The tokens of an earlier database are worthless in this one.
        state.secrets.pop("token", None)
        state.secrets.pop("admin_token", None)
        state.note(SAMPLE, MISSING)

    _with_database(database_url, create)


def ensure_tokens(database_url: str, api_url: str, state: State, look: Callable[[], None]) -> Tokens:
    """The tokens of an earlier start where they still work, else new ones."""
    if not _works(api_url, state.secrets.get("token"), "/v1/users?limit=1", look):
        state.secrets["token"] = _issue(database_url, TENANT, TENANT_SCOPES)
    if not _works(api_url, state.secrets.get("admin_token"), "/v1/ops/tenants?limit=1", look):
        state.secrets["admin_token"] = _issue(database_url, None, OPERATOR_SCOPES)
    state.save()
    return Tokens(tenant=state.secrets["token"], operator=state.secrets["admin_token"])


def _works(api_url: str, token: str | None, path: str, look: Callable[[], None]) -> bool:
    if token is None:
        return False
    api = PublicApi(url=api_url, token=token, look=look)
    try:
        return api.call("GET", path).status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    finally:
        api.close()


def _issue(database_url: str, tenant_key: str | None, scopes: tuple[str, ...]) -> str:
    async def create(database: Database) -> str:
        issued = await administration.create_token(
            database, tenant_key=tenant_key, scopes=scopes, name="made by seatline up"
        )
        return issued.token

    return _with_database(database_url, create)


def _with_database(url: str, action: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(url, name="seatline-up", size=1)
        try:
            return await action(database)
        finally:
            await database.close()

    return asyncio.run(run())
