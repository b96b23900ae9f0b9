"""A database for the operators' reads: operations of a hundred tenants, as many as are wanted, in minutes.

One rule: errors are counted from the rows themselves, so that the counts are those that `verify` would find.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from domain.events import Event, EventType
from infra.cloudevents import NumberedRun, cause, encode, run_of
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from tests.benchmarks.indexes import without_indexes

TENANTS = 100
SETTINGS = {"maintenance_work_mem": "512MB", "search_path": "public"}
# What stands in the message that is encoded once where each row has values of its own.
_SEQUENCE, _PREVIOUS, _TENANT = 10**18, 2 * 10**18, "whose"
# Everything is made of the place n: of 100 neighbours each is another tenant's, and every `$5`th has failed. A
# tenth has an event. The newest hundred are queued, one in 100,000 was cancelled.
_OPERATIONS = """
INSERT INTO operation (tenant_id, id, seq, kind, status, attempts, items, bytes, request, presentation, response,
                       error, error_group, idempotency_key, fingerprint, request_id, done, total, accepted_at,
                       started_at, finished_at, first_sequence, last_sequence)
SELECT ($1::bigint[])[(n + n / 100) % 100 + 1], ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n + 1,
       'group_assignments.change', status, 1, 1, 100,
       ('{"items": [{"op": "assign", "group": "g' || n % 97 || '", "user": "u' || n / 100 % 5000
        || '", "role": "member", "source": "manual"}]}')::json,
       '{"form": "native.assignments", "language": "en", "options": {}}',
       CASE WHEN status = 'succeeded' THEN
           ('{"items": [{"outcome": "assigned", "group": "g' || n % 97 || '", "user": {"key": "u' || n / 100 % 5000
            || '", "first_name": "Ada", "last_name": "Lovelace ' || n / 100 % 5000
            || '", "department": "Department 7", "active": true}, "role": "member", "sources": ["manual"], '
            || '"created_at": "2026-01-02T03:04:05.000000Z"}], "titles": {"member": {"en": "Member"}}}')::json END,
       CASE WHEN status = 'failed' THEN
           ('{"code": "OPERATION_RAISED", "message": "error ' || error || ' of the benchmark"}')::json END,
       CASE WHEN status = 'failed' THEN lpad(to_hex(error), 16, '0') END,
       CASE WHEN n % 2 = 0 THEN 'key-' || n END, '\\x00112233445566778899aabbccddeeff', 'request-' || n,
       CASE WHEN status = 'queued' THEN 0 ELSE 1 END, 1, at,
       CASE WHEN status <> 'queued' THEN at + interval '3 ms' END,
       CASE WHEN status <> 'queued' THEN at + interval '9 ms' END,
       CASE WHEN n / 100 % 10 = 0 THEN n / 1000 + 1 END, CASE WHEN n / 100 % 10 = 0 THEN n / 1000 + 1 END
  FROM (SELECT n, (n / $5 + n / $5 / 100) % 20 AS error, now() - ($4 - n) * (interval '3 days' / $4) AS at,
               CASE WHEN n >= $4 - 100 THEN 'queued' WHEN n % $5 = 0 THEN 'failed'
                    WHEN n % 100000 = 7 THEN 'cancelled' ELSE 'succeeded' END AS status
          FROM generate_series($2::bigint, $3::bigint - 1) AS n) AS made
"""
_OUTBOX = """
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body, created_at,
                    published_at)
SELECT tenant_id, $2, first_sequence, first_sequence, operation.id, tenant.key || '.' || $2,
       convert_to(replace(replace(replace(replace($1, $3, lpad(first_sequence::text, 19, '0')),
                                          $4, lpad((first_sequence - 1)::text, 19, '0')),
                                  $5, tenant.key),
                          '00000000-0000-0000-0000-000000000000', operation.id::text), 'UTF8'),
       finished_at, finished_at + interval '5 ms'
  FROM operation
  JOIN tenant ON tenant.id = tenant_id
 WHERE first_sequence IS NOT NULL
 ORDER BY seq
"""
_REST = (
    """
    INSERT INTO group_license (tenant_id, group_id, license_id, assigned)
    SELECT tenant_id, user_group.id, license.id, 50
      FROM license JOIN user_group USING (tenant_id)
     WHERE substr(license.key, 2) = substr(user_group.key, 2)
    """,
    """
    INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count, first_seen, last_seen)
    SELECT tenant_id, error_group, min(kind), min(error ->> 'code'), min(error ->> 'message'), count(*),
           min(finished_at), max(finished_at)
      FROM operation WHERE status = 'failed' AND discarded_at IS NULL
     GROUP BY tenant_id, error_group
    """,
    """
    UPDATE tenant_log SET event_seq = (SELECT coalesce(max(last_sequence), 0) FROM outbox
                                        WHERE outbox.tenant_id = tenant_log.tenant_id)
    """,
    "SELECT setval('operation_seq', (SELECT max(seq) FROM operation))",
    """
    INSERT INTO worker (name, version, tenant_ids, operation_ids)
    SELECT 'worker-' || number, '0.1.0', array_agg(tenant_id), array_agg(operation.id)
      FROM (SELECT tenant_id, id FROM operation WHERE status IN ('queued', 'running') LIMIT 50) AS operation
     CROSS JOIN generate_series(1, 4) AS number
     GROUP BY number
    """,
)
# As many of each as there are dead letters.
_OTHERS = (
    """
    INSERT INTO audit_entry (tenant_id, actor, action, subject)
    SELECT tenant.id, '', 'dead_letters.redrive', 'made by the benchmark'
      FROM generate_series(1, $1::int / 100) CROSS JOIN tenant
    """,
    """
    INSERT INTO license (tenant_id, key, name, kind, capacity, used)
    SELECT tenant.id, 'l' || n, 'Licence ' || n, 'program', 100, 50
      FROM tenant CROSS JOIN generate_series(1, $1::int / 100) AS n
    """,
    """
    INSERT INTO user_group (tenant_id, key, name, user_count, assignment_count)
    SELECT tenant.id, 'g' || n, 'Group ' || n, 50, 50
      FROM tenant CROSS JOIN generate_series(1, $1::int / 100) AS n
    """,
)
_EXAMPLE = """
SELECT tenant.key AS tenant, operation.id::text AS id, idempotency_key, request #>> '{items,0,user}' AS user
  FROM tenant JOIN operation ON tenant.id = tenant_id
 WHERE seq = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An operation among the last thousand that has a key, an event, and a person of its tenant."""

    tenant: str
    id: str
    idempotency_key: str
    user: str


async def fill(url: str, *, operations: int, letters: int) -> Example:
    """Make the rows of an empty database; `operations` are at least a thousand, `letters` a hundred."""
    database = Database(url, size=1)
    try:
        made = [await create_tenant(database, key=f"t-{n}", org=f"org-{n}", name=f"Tenant {n}") for n in range(TENANTS)]
    finally:
        await database.close()
    first, second = [await asyncpg.connect(plain_dsn(url), server_settings=SETTINGS) for _ in range(2)]
    try:
        tenants, every, middle = [tenant.id for tenant in made], operations // letters, operations // 2
        async with without_indexes(first, ("operation", "outbox")):
            await asyncio.gather(
                first.execute(_OPERATIONS, tenants, 0, middle, operations, every),
                second.execute(_OPERATIONS, tenants, middle, operations, operations, every),
            )
            await _tell(first)
        await _finish(first, letters)
        return Example(**dict(await first.fetchrow(_EXAMPLE, operations - 997)))
    finally:
        await asyncio.gather(first.close(), second.close())


async def _tell(sql: asyncpg.Connection) -> None:
    told = run_of([Event(type=EventType.USER_UPDATED, subject="users/u1", data={"name": "Ada Lovelace"})])
    run = NumberedRun(told, _SEQUENCE, _PREVIOUS, [cause(UUID(int=0), None)])
    [message] = encode(run, tenant_key=_TENANT, at=datetime.now(UTC))
    body = message.body.decode()
    await sql.execute(_OUTBOX, body, message.type, str(_SEQUENCE), str(_PREVIOUS), _TENANT)


async def _finish(sql: asyncpg.Connection, letters: int) -> None:
    for statement in _OTHERS:
        await sql.execute(statement, letters)
    await sql.execute("ANALYZE")
    for statement in _REST:
        await sql.execute(statement)
    await sql.execute("ANALYZE")
    await sql.execute("CHECKPOINT")
