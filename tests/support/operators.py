"""Operators in tests: tokens, calls that must succeed, and operations that fail until they are cured."""

import asyncio
from uuid import UUID

from domain.commands import GroupPut, PutGroups
from infra.postgres.administration import create_token
from infra.postgres.operations import NewOperation, Presentation, accept_operations, new_operation_id
from infra.postgres.statements import compile_block
from tests.support.bad_handlers import BAD_HANDLERS, RAISES
from tests.support.engine import Engine

_UNREADABLE = compile_block(
    "unreadable", "UPDATE operation SET request = '{}' WHERE id = ANY (CAST(:ids AS uuid[])) AND status = 'queued'"
)


async def operator_token(api, name, *scopes):
    """The Authorization header of a new operator."""
    issued = await create_token(api.services.database, tenant_key=None, scopes=scopes, name=name)
    return {"Authorization": f"Bearer {issued.token}"}


async def queue(api, tenant, *names, **fields):
    """Groups of these names, each an operation of its own that nobody applies before it is drained; their ids."""
    new = [
        NewOperation(
            tenant_id=tenant.id,
            id=new_operation_id(),
            command=PutGroups(items=(GroupPut(key="g", name=name),)),
            presentation=Presentation(form="native.group"),
            fingerprint=b"",
            **fields,
        )
        for name in names
    ]
    async with api.services.database.transaction() as tx:
        await accept_operations(tx, new)
    return [str(operation.id) for operation in new]


async def fail(api, tenant, *names):
    """As `queue`, and those named RAISES have failed."""
    ids = await queue(api, tenant, *(names or (RAISES,)))
    await Engine(api.services.database, handlers=BAD_HANDLERS).drain(tenant.id)
    return ids


async def drain(api, *tenants):
    """Apply what is queued, as a worker without any fault does."""
    await Engine(api.services.database).drain(*(tenant.id for tenant in tenants))


def uuids(ids):
    """The ids as values."""
    return [UUID(one) for one in ids]


async def while_applied(api, tenants, call):
    """The answer of a call that waits, while a worker without any fault is at work for these tenants."""
    answering = asyncio.create_task(call)
    while not answering.done():
        await drain(api, *tenants)
        await asyncio.wait([answering], timeout=0.02)
    return answering.result()
