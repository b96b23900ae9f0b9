"""A refusal of form or access, held to what all of them have in common: nothing was made."""

from collections.abc import Collection
from typing import Any

import httpx

from infra.postgres.statements import compile_block
from tests.support.api import Api

OPERATIONS = compile_block("operations", "SELECT count(*) AS found FROM operation WHERE tenant_id = :tenant_id")


async def operations(api: Api) -> int:
    """How many operations the tenant has."""
    return (await api.services.database.fetch(OPERATIONS, tenant_id=api.tenant.id))[0]["found"]


async def refused(
    api: Api,
    method: str,
    path: str,
    *,
    status: int = 400,
    names: Collection[str] = ("code", "message", "details"),
    **options: Any,
) -> httpx.Response:
    """The response to a call that must be refused before it becomes an operation; `names` are its dialect's."""
    before = await operations(api)
    response = await api.call(method, path, **options)
    assert response.status_code == status, response.text
    assert "seatline-operation" not in response.headers
    assert set(response.json()) == set(names)
    assert await operations(api) == before
    return response
