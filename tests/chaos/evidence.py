"""What the servers hold when a run is over: the rows, the log, and what is left on the broker.

One rule: read past the service, from its tables, so that no code under test vouches for itself.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from infra.postgres.outbox_bodies import StoredBody, unpack
from tests.chaos.scene import Scene

_OPERATIONS = """
SELECT tenant.key AS tenant, operation.id::text AS id, idempotency_key AS key, kind, status, error::text AS error
  FROM operation JOIN tenant ON tenant.id = tenant_id
 ORDER BY tenant_id, seq
"""
_OUTBOX = """
SELECT tenant.key AS tenant, type, first_sequence, last_sequence, operation_id::text AS operation_id, body, bytes,
       published_at IS NOT NULL AS is_published
  FROM outbox JOIN tenant ON tenant.id = tenant_id
 ORDER BY tenant_id, first_sequence
"""
_NUMBERED = "SELECT tenant.key AS tenant, event_seq FROM tenant_log JOIN tenant ON tenant.id = tenant_id"
_POOLS = """
SELECT tenant.key AS tenant, license.key, capacity, used, reserved,
       (SELECT count(*) FROM entitlement
         WHERE entitlement.tenant_id = license.tenant_id AND license_id = license.id AND state = 1) AS active
  FROM license JOIN tenant ON tenant.id = license.tenant_id
"""
_ASSIGNMENTS = """
SELECT tenant.key AS tenant, group_id, user_id, role_id FROM group_assignment JOIN tenant ON tenant.id = tenant_id
"""
_ENTITLEMENTS = """
SELECT tenant.key AS tenant, entitlement.id, (ARRAY['active', 'waiting', 'waiting', 'waiting', 'suspended'])[state]
       AS state
  FROM entitlement JOIN tenant ON tenant.id = tenant_id
"""
_OPEN = "SELECT count(*) AS open FROM operation WHERE status IN ('queued', 'running')"
_PENDING = "SELECT count(*) AS pending FROM outbox WHERE published_at IS NULL"
# A pass takes milliseconds: whoever has been idle in its transaction for a second has forgotten it.
_IDLE = """
SELECT coalesce(application_name, '') || ': ' || left(query, 200) AS held
  FROM pg_stat_activity
 WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND now() - state_change > interval '1 s'
"""
_GLANCE = 0.2
_READ_SECONDS = 300.0
_LOOKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Rows as they are when nothing is on its way any more."""

    operations: Sequence[Mapping[str, Any]]
    outbox: Sequence[Mapping[str, Any]]
    numbered: Mapping[str, int]
    pools: Sequence[Mapping[str, Any]]
    assignments: frozenset[tuple[str, int, int, int]]
    entitlements: Mapping[tuple[str, int], str]
    idle_in_transaction: Sequence[str]
    unreadable: int

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every event of the log with its tenant, tenant by tenant in order; an hour's would not fit into memory."""
        return ((row["tenant"], event) for row in self.outbox for event in json.loads(row["body"]))


async def drained(scene: Scene, *, seconds: float) -> list[str]:
    """Wait until nothing is open, nothing is pending, and the subscriber has everything; what is left when it is not.

    The load has stopped and every fault is over: what still waits then waits for nothing.
    """
    deadline = time.monotonic() + seconds
    while True:
        left = await _left(scene)
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(_GLANCE)


async def gather(scene: Scene) -> Evidence:
    """Read everything."""
    return Evidence(
        operations=await scene.ask(_OPERATIONS, seconds=_READ_SECONDS),
        outbox=[
            {**row, "body": unpack(StoredBody(row["body"], row["bytes"]))}
            for row in await scene.ask(_OUTBOX, seconds=_READ_SECONDS)
        ],
        numbered={row["tenant"]: row["event_seq"] for row in await scene.ask(_NUMBERED)},
        pools=await scene.ask(_POOLS),
        assignments=frozenset(
            (row["tenant"], row["group_id"], row["user_id"], row["role_id"]) for row in await scene.ask(_ASSIGNMENTS)
        ),
        entitlements={(row["tenant"], row["id"]): row["state"] for row in await scene.ask(_ENTITLEMENTS)},
        idle_in_transaction=await _idle(scene),
        unreadable=await scene.unreadable(),
    )


async def _left(scene: Scene) -> list[str]:
    try:
        opened, pending = await scene.ask(_OPEN), await scene.ask(_PENDING)
        numbered = {row["tenant"]: row["event_seq"] for row in await scene.ask(_NUMBERED)}
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        return [f"the database does not answer: {error!r}"]
    left = [f"{opened[0]['open']} operations are open"] if opened[0]["open"] else []
    left += [f"{pending[0]['pending']} messages are not published"] if pending[0]["pending"] else []
    behind = {tenant: (scene.subscriber.last(tenant), last) for tenant, last in numbered.items()}
    return left + [
        f"the subscriber has {seen} of {last} events of {tenant} without a gap"
        for tenant, (seen, last) in behind.items()
        if seen != last
    ]


async def _idle(scene: Scene) -> list[str]:
    held: set[str] = set()
    for _ in range(_LOOKS):
        held |= {row["held"] for row in await scene.ask(_IDLE)}
        await asyncio.sleep(_GLANCE)
    return sorted(held)
