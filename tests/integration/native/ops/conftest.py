"""Operators: one who may do everything, and one who may only look."""

import pytest

from infra.postgres.administration import create_token


async def operator_token(api, name, *scopes):
    issued = await create_token(api.services.database, tenant_key=None, scopes=scopes, name=name)
    return {"Authorization": f"Bearer {issued.token}"}


@pytest.fixture
async def operator(api):
    return await operator_token(api, "on call", "ops:write", "tenants:admin")


@pytest.fixture
async def watcher(api):
    return await operator_token(api, "wall screen", "ops:read")
