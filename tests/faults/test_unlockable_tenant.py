"""A pass that fails before it has read anything: whoever is ready beside the cause is served all the same."""

import asyncio

from domain.commands import GroupPut, PutGroups
from infra.postgres.database import Database
from tests.support.engine import Asked, Engine, accept, add_tenant, open_operations

NO_BIGINT = 2**63


async def test_a_tenant_that_cannot_be_locked_holds_up_only_itself(database_url):
    database = Database(database_url, size=4)
    try:
        tenants = [(await add_tenant(database)).id for _ in range(3)]
        command = PutGroups(items=(GroupPut(key="one", name="One"),))
        await accept(database, [Asked(tenant_id=tenant_id, command=command) for tenant_id in tenants])
        engine = Engine(database)
        for tenant_id in (tenants[0], NO_BIGINT, *tenants[1:]):
            engine.ready.add(tenant_id)
        async with asyncio.timeout(10):
            while await open_operations(database):
                await engine.turn()
    finally:
        await database.close()
