"""An intake with a tenant, as the doors use it: posts commands and waits for their answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.intake import Answer, Intake, Submission
from domain.commands import Command, GroupPut, PutGroups
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database
from infra.postgres.operations import OperationView, Presentation
from infra.postgres.statements import compile_block
from infra.rabbitmq.broker import Broker
from infra.settings import Settings
from tests.support.waiting import eventually

WAIT = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Caller:
    """Posts as one tenant."""

    database: Database
    intake: Intake
    broker: Broker | None
    tenant_id: int

    async def post(
        self, command: Command, *, wait: timedelta = WAIT, key: str | None = None, request_id: str | None = None
    ) -> Answer:
        """Submit and wait."""
        submission = Submission(
            tenant_id=self.tenant_id,
            command=command,
            presentation=Presentation(form="test"),
            fingerprint=b"test",
            idempotency_key=key,
            request_id=request_id,
        )
        return await self.intake.submit(submission, wait=wait)

    async def put_group(self, key: str, *, wait: timedelta = WAIT) -> OperationView:
        """One small command."""
        return (await self.post(PutGroups(items=(GroupPut(key=key, name=key),)), wait=wait)).operation

    async def ask(self, sql: str, **binds: object) -> list[dict[str, Any]]:
        """Rows of a query, `:name` binds as in the SQL files."""
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(compile_block("asked", sql), **binds)]


@asynccontextmanager
async def calling(
    database_url: str, *, amqp_url: str | None = None, prefix: str = "seatline", tenant: str = "acme"
) -> AsyncIterator[Caller]:
    """A caller on its own intake, with a broker that is reachable already where there is one."""
    values = Settings(database_url=database_url, amqp_url=amqp_url, name_prefix=prefix)
    database = Database(database_url, name="test caller")
    made = await create_tenant(database, key=tenant, org="acme-org", name="Acme")
    broker = None if amqp_url is None else Broker(url=amqp_url, prefix=prefix, connection_name="test caller")
    if broker is not None:
        await broker.start()
    intake = Intake(database=database, broker=broker, settings=values)
    await intake.start()
    try:
        if broker is not None:
            await eventually(lambda: broker.reachable)
        yield Caller(database=database, intake=intake, broker=broker, tenant_id=made.id)
    finally:
        await intake.stop()
        if broker is not None:
            await broker.stop()
        await database.close()
