"""Operators: one who may do everything, and one who may only look."""

import pytest

from tests.support.operators import operator_token


@pytest.fixture
async def operator(api):
    return await operator_token(api, "on call", "ops:write", "tenants:admin")


@pytest.fixture
async def watcher(api):
    return await operator_token(api, "wall screen", "ops:read")
