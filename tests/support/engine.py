"""The engine inside the test's own process: operations accepted, passes run one by one, and what they left read back.

One rule: everything goes through the real intake statement, the real passes and the real tables; only the loops that
would call them are the test's.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from domain.commands import Command
from infra import cloudevents
from infra.postgres.administration import Tenant, create_tenant
from infra.postgres.database import Database, Row, Transaction
from infra.postgres.operations import (
    NewOperation,
    OperationView,
    Presentation,
    accept_operations,
    new_operation_id,
    read_operations,
)
from infra.postgres.outbox_bodies import StoredBody, unpack
from infra.postgres.passes import OpenOperation
from infra.postgres.statements import compile_block
from tests.support.license_state import license_state_of
from tests.support.model_rows import Document
from workers.chunk_sizes import ChunkSizes
from workers.chunks import ChunkLane
from workers.delivery import Delivery
from workers.handlers import Handler, handlers_with
from workers.ready import ReadySet
from workers.waves import Budget

AMPLE = Budget(operations=1_000, items=100_000, bytes=64 * 1024 * 1024)
PRESENTATION = Presentation(form="test")
_DRAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command of one tenant, to be accepted."""

    tenant_id: int
    command: Command
    dry_run: bool = False


class Witness:
    """Stands where a worker's liveness would, and remembers what each pass named."""

    def __init__(self) -> None:
        self.worker_id = 0
        self.named: list[list[UUID]] = []

    async def name(self, operations: Sequence[OpenOperation]) -> bool:
        """Remember the operations of a pass that is about to run."""
        self.named.append([operation.id for operation in operations])
        return False

    async def is_careful(self) -> bool:
        """No server of a test crashes under it."""
        return False

    def end_pass(self) -> int:
        """Nothing is named anywhere."""
        return self.worker_id

    async def name_chunk(self, tenant_id: int, operation_id: UUID, *, counted: int) -> bool:
        """Chunks are not remembered."""
        return False

    def end_chunk(self) -> int:
        """Nothing is named anywhere."""
        return self.worker_id

    async def clear(self) -> None:
        """Nothing is named anywhere."""

    async def clear_chunk(self) -> None:
        """Nothing is named anywhere."""


class Engine:
    """One worker's delivery without its loops. Give it a tenant by `ready.add`; `drain` ends when nothing is ready.

    `rows` is how many rows a chunk takes, where its own measuring would be in the way.
    """

    def __init__(
        self,
        database: Database,
        *,
        budget: Budget = AMPLE,
        share: int = 250,
        handlers: Mapping[str, Handler] | None = None,
        rows: int | None = None,
        inflight: Witness | None = None,
        delivery: type[Delivery] = Delivery,
    ) -> None:
        self.database = database
        self.ready = ReadySet(share=share, tenants=1_000)
        self.witness = inflight or Witness()
        self.replies: list[Mapping[str, Sequence[UUID]]] = []
        sizes = ChunkSizes(rows=rows)
        self.lane = ChunkLane(
            database=database,
            ready=self.ready,
            sizes=sizes,
            inflight=self.witness,
            committed=self._chunk_committed,
        )
        self.delivery = delivery(
            database=database,
            ready=self.ready,
            inflight=self.witness,
            budget=budget,
            handlers=handlers or handlers_with(sizes),
            committed=self._committed,
            continues=self.lane.add,
        )

    async def drain(self, *tenant_ids: int) -> None:
        """Wake these tenants, and run passes and chunks until none is ready and nothing goes on."""
        for tenant_id in tenant_ids:
            self.ready.add(tenant_id)
        async with asyncio.timeout(_DRAIN_SECONDS):
            while len(self.ready) or len(self.lane):
                await self.turn()
                if not len(self.ready):
                    await self.chunk()

    async def chunk(self) -> None:
        """One chunk of what goes on; none where nothing does."""
        if len(self.lane):
            await self.lane.turn(await self.lane.next())

    async def turn(self) -> None:
        """One pass over what is ready; none where nothing is."""
        if len(self.ready):
            await self.delivery.turn(await self.ready.next())

    async def run(self, *asked: Asked) -> list[OperationView]:
        """Accept the commands together, apply them, and read the operations."""
        ids = await accept(self.database, asked)
        await self.drain(*{one.tenant_id for one in asked})
        return await operations(self.database, asked[0].tenant_id, ids)

    async def _chunk_committed(self) -> None:
        return

    async def _committed(self, replies: Mapping[str, Sequence[UUID]]) -> None:
        self.replies.append(replies)


async def add_tenant(database: Database) -> Tenant:
    """A tenant that no other test, and no other example of this one, has."""
    return await create_tenant(database, key=f"t-{uuid4().hex}", org="org", name="A tenant")


async def accept(database: Database, asked: Iterable[Asked], *, reply_to: str | None = None) -> list[UUID]:
    """Accept the commands in one insert, in this order; a tenant's own order is their place in its log."""
    new = [
        NewOperation(
            tenant_id=one.tenant_id,
            id=new_operation_id(),
            command=one.command,
            presentation=PRESENTATION,
            fingerprint=b"",
            dry_run=one.dry_run,
            reply_to=reply_to,
        )
        for one in asked
    ]
    async with database.transaction() as tx:
        await accept_operations(tx, new)
    return [operation.id for operation in new]


async def operations(database: Database, tenant_id: int, ids: Sequence[UUID]) -> list[OperationView]:
    """The tenant's operations with these ids, in this order."""
    async with database.transaction() as tx:
        found = {view.id: view for view in await read_operations(tx, [(tenant_id, number) for number in ids])}
    return [found[number] for number in ids if number in found]


async def state_of(database: Database, tenant_id: int) -> Document:
    """What the tables hold of the tenant, as `ModelRows.state` says it. Rows that refer to nothing have key None."""
    async with database.transaction() as tx:
        users = await _read(tx, _USERS, tenant_id)
        groups = await _read(tx, _GROUPS, tenant_id)
        roles = await _read(tx, _ROLES, tenant_id)
        held = await _read(tx, _ASSIGNMENTS, tenant_id)
        members = await _read(tx, _MEMBERS, tenant_id)
    return {
        "users": {row.pop("key"): row for row in users},
        "groups": {row.pop("key"): row for row in groups},
        "roles": {row.pop("key"): row for row in roles},
        "assignments": {
            (row["group_key"], row["user_key"], row["role_key"]): {
                "sources": [name for bit, name in _SOURCES.items() if row["sources"] & bit],
                "created_at": row["created_at"],
            }
            for row in held
        },
        "members": {(row["group_key"], row["user_key"]) for row in members},
        **await license_state_of(database, tenant_id),
    }


def body_of(row: Row) -> bytes:
    """The body of an outbox row, as it was encoded."""
    return unpack(StoredBody(row["body"], row["bytes"]))


async def events_of(database: Database, tenant_id: int, *, after: int = 0) -> list[Document]:
    """The tenant's events behind a sequence, in the order of the outbox, as `Model.events` has them."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_OUTBOX, tenant_id=tenant_id, after=after)
    events = [json.loads(event) for row in rows for event in cloudevents.split(body_of(row))]
    return [
        {
            "type": event["type"].removeprefix("seatline.").removesuffix(".v1"),
            "subject": event["subject"],
            "data": event["data"],
            "sequence": int(event["sequence"]),
            "previous": int(event["previous"]),
            "operation": event["operationid"],
        }
        for event in events
    ]


async def open_operations(database: Database) -> int:
    """How many operations of all tenants are open."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_OPEN)
    count: int = rows[0]["open"]
    return count


async def _read(tx: Transaction, sql: str, tenant_id: int) -> list[Document]:
    return [dict(row) for row in await tx.fetch(compile_block("read", sql), tenant_id=tenant_id)]


_SOURCES = {8: "PRIMARY", 4: "RULE", 2: "SCIM", 1: "MANUAL"}
_USERS = """
SELECT app_user.key, app_user.id, username, email, first_name, last_name, department, active, attributes,
       CASE WHEN primary_group_id IS NOT NULL THEN coalesce(user_group.key, 'nothing') END AS primary_group
  FROM app_user
  LEFT JOIN user_group ON user_group.tenant_id = app_user.tenant_id AND user_group.id = primary_group_id
 WHERE app_user.tenant_id = :tenant_id
"""
_GROUPS = """
SELECT key, id, name, user_count, assignment_count, use_external_license FROM user_group WHERE tenant_id = :tenant_id
"""
_ROLES = "SELECT key, id, permission_scope, titles, descriptions FROM role WHERE tenant_id = :tenant_id"
_ASSIGNMENTS = """
SELECT user_group.key AS group_key, app_user.key AS user_key, role.key AS role_key, sources, held.created_at
  FROM group_assignment AS held
  LEFT JOIN user_group ON user_group.tenant_id = held.tenant_id AND user_group.id = group_id
  LEFT JOIN app_user ON app_user.tenant_id = held.tenant_id AND app_user.id = user_id
  LEFT JOIN role ON role.tenant_id = held.tenant_id AND role.id = role_id
 WHERE held.tenant_id = :tenant_id
"""
_MEMBERS = """
SELECT user_group.key AS group_key, app_user.key AS user_key
  FROM group_member AS member
  LEFT JOIN user_group ON user_group.tenant_id = member.tenant_id AND user_group.id = group_id
  LEFT JOIN app_user ON app_user.tenant_id = member.tenant_id AND app_user.id = user_id
 WHERE member.tenant_id = :tenant_id
"""
_OUTBOX = compile_block(
    "outbox",
    "SELECT body, bytes FROM outbox WHERE tenant_id = :tenant_id AND first_sequence > CAST(:after AS bigint)"
    " ORDER BY id",
)
_OPEN = compile_block("open", "SELECT count(*) AS open FROM operation WHERE status IN ('queued', 'running')")
