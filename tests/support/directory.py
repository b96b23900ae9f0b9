"""A directory filled by hand, in sets: people, groups, assignments, operations and events without any worker."""

from datetime import UTC, datetime
from itertools import repeat
from uuid import uuid4

import asyncpg

from domain.events import Event, EventType
from infra.cloudevents import NumberedRun, OutboxMessage, cause, encode, run_of

A_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)

_PEOPLE = """
INSERT INTO app_user (tenant_id, key, username, username_key, email, email_key, first_name, last_name, department,
                      active)
SELECT $1, 'u' || n, 'User' || n, 'user' || n, 'U' || n || '@example.org', 'u' || n || '@example.org', 'First' || n,
       'Last' || n, 'Department ' || n % 10, n % 5 <> 0
  FROM generate_series(1, $2::int) AS n
"""
_GROUPS = """
INSERT INTO user_group (tenant_id, key, name)
SELECT $1, 'g' || n, 'Group ' || n FROM generate_series(1, $2::int) AS n
"""
_ROLE = """
INSERT INTO role (tenant_id, key, permission_scope, titles) VALUES ($1, $2, 'USER_GROUPS', '{"en": "A title"}')
"""
_MEMBERS = """
WITH chosen AS (
    SELECT user_group.id AS group_id, app_user.id AS user_id
      FROM user_group JOIN app_user USING (tenant_id)
     WHERE tenant_id = $1 AND user_group.key = $2
     ORDER BY app_user.id LIMIT $3
), assigned AS (
    INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources)
    SELECT $1, group_id, user_id, role.id, $4 FROM chosen, role WHERE role.tenant_id = $1 AND role.key = 'member'
)
INSERT INTO group_member (tenant_id, group_id, user_id) SELECT $1, group_id, user_id FROM chosen
"""
_OPERATIONS = """
INSERT INTO operation (tenant_id, id, kind, status, items, bytes, request, presentation, fingerprint, total)
SELECT $1, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'users.put' ELSE 'groups.put' END,
       CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END, 1, 1, '{}', '{}', ''::bytea, 1
  FROM generate_series(1, $2::int) AS n
"""
_OUTBOX = """
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body, published_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now())
"""


async def add_people(sql: asyncpg.Connection, tenant_id: int, count: int) -> None:
    """`u1`, `u2`, …: every fifth is inactive, departments go round from 0 to 9."""
    await sql.execute(_PEOPLE, tenant_id, count)


async def add_groups(sql: asyncpg.Connection, tenant_id: int, count: int) -> None:
    """`g1`, `g2`, …"""
    await sql.execute(_GROUPS, tenant_id, count)


async def add_role(sql: asyncpg.Connection, tenant_id: int, key: str) -> None:
    """A role that can be given in groups."""
    await sql.execute(_ROLE, tenant_id, key)


async def add_members(sql: asyncpg.Connection, tenant_id: int, group: str, count: int, *, sources: int = 1) -> None:
    """The first `count` people become members of the group, by these sources."""
    await sql.execute(_MEMBERS, tenant_id, group, count, sources)


async def add_operations(sql: asyncpg.Connection, tenant_id: int, count: int) -> None:
    """Finished operations: two kinds in turn, every tenth has failed."""
    await sql.execute(_OPERATIONS, tenant_id, count)


async def add_events(
    sql: asyncpg.Connection, tenant_id: int, tenant_key: str, *runs: tuple[EventType, int], first: int = 1
) -> list[bytes]:
    """Runs of events, `(type, how many)`, numbered from `first`; the bodies of their messages."""
    messages: list[OutboxMessage] = []
    sequence = first
    for event_type, count in runs:
        events = [
            Event(type=event_type, subject=f"things/{place}", data={"name": f"{place},\n"})
            for place in range(sequence, sequence + count)
        ]
        run = NumberedRun(run_of(events), sequence, 0, repeat(cause(uuid4(), None)))
        messages += encode(run, tenant_key=tenant_key, at=A_MOMENT)
        sequence += count
    await sql.executemany(
        _OUTBOX,
        [(tenant_id, m.type, m.first_sequence, m.last_sequence, uuid4(), m.routing_key, m.body) for m in messages],
    )
    await sql.execute("UPDATE tenant_log SET event_seq = $2 WHERE tenant_id = $1", tenant_id, sequence - 1)
    return [message.body for message in messages]
