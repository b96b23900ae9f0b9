"""A worker as a whole, in this process and without a broker: it polls, applies, and stops when its pass has ended."""

import asyncio
from datetime import timedelta

from api.intake import Submission
from domain.commands import Kind
from domain.outcomes import OperationStatus
from infra.postgres.statements import compile_block
from infra.settings import Settings
from tests.support.directory_commands import put_groups
from tests.support.engine import PRESENTATION, Asked, accept, operations
from tests.support.waiting import found
from workers.handlers import HANDLERS
from workers.main import Worker

PATIENCE = 60.0
ROWS = compile_block("rows", "SELECT id FROM worker")


def submission(tenant):
    return Submission(tenant_id=tenant.id, command=put_groups(1), presentation=PRESENTATION, fingerprint=b"")


async def test_two_workers_apply_what_is_accepted_and_leave_no_trace_when_they_stop(
    database, database_url, tenant, intake
):
    workers = [Worker(Settings(database_url=database_url)) for _ in range(2)]
    for worker in workers:
        await worker.start()
    answers = await asyncio.gather(
        *(intake.submit(submission(tenant), wait=timedelta(seconds=PATIENCE)) for _ in range(50))
    )
    assert {answer.operation.status for answer in answers} == {OperationStatus.SUCCEEDED}

    async def both_are_registered():
        return len(await database.fetch(ROWS)) == 2

    await found(both_are_registered)
    for worker in workers:
        await asyncio.wait_for(worker.stop(), PATIENCE)
    assert await database.fetch(ROWS) == []


async def test_a_worker_that_is_told_to_stop_finishes_its_pass(database, database_url, tenant):
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def held(tx, orders, at):
        reached.set()
        await go_on.wait()
        return await HANDLERS[Kind.PUT_GROUPS](tx, orders, at)

    worker = Worker(Settings(database_url=database_url), handlers={**HANDLERS, Kind.PUT_GROUPS: held})
    await worker.start()
    [number] = await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1))])
    await asyncio.wait_for(reached.wait(), PATIENCE)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.wait([stopping], timeout=0)
    go_on.set()
    await asyncio.wait_for(stopping, PATIENCE)
    [view] = await operations(database, tenant.id, [number])
    assert view.status is OperationStatus.SUCCEEDED
