"""What operators read is bounded whatever the tables hold: the plans are looked at, the generic ones too."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from infra.postgres import administration
from infra.postgres.statements import load
from tests.support.plans import unbounded_steps

TENANTS = 20
WINDOW = 100
LIMIT = 10
BOUND = WINDOW + 1
BIG = {"operation", "outbox", "audit_entry"}
# Every second one of a tenant's operations has failed, the last few are queued.
FILL = """
INSERT INTO operation (tenant_id, id, kind, status, items, bytes, request, presentation, fingerprint, total, error,
                       error_group, finished_at, idempotency_key)
SELECT tenant.id, gen_random_uuid(), 'groups.put',
       CASE WHEN n > 2995 THEN 'queued' WHEN n % 2 = 0 THEN 'failed' ELSE 'succeeded' END, 1, 20,
       '{"items": [{"key": "g", "name": "G"}]}', '{}', '', 1,
       CASE WHEN n % 2 = 0 AND n <= 2995 THEN '{"code": "OPERATION_RAISED", "message": "m"}'::json END,
       CASE WHEN n % 2 = 0 AND n <= 2995 THEN 'error-' || n % 4 END, now(), 'key-' || n
  FROM generate_series(1, 3000) AS n CROSS JOIN tenant
"""
COUNT = """
INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count)
SELECT tenant_id, error_group, kind, 'OPERATION_RAISED', 'm', count(*)
  FROM operation WHERE status = 'failed' GROUP BY 1, 2, 3
"""
OUTBOX = """
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body)
SELECT (SELECT min(id) FROM tenant), 'group.updated', n, n, gen_random_uuid(), 'k', ''
  FROM generate_series(1, 4000) AS n
"""
AUDIT = """
INSERT INTO audit_entry (tenant_id, action, subject) SELECT 1, 'tenant.created', 's' FROM generate_series(1, 3000)
"""
SOME_ID = UUID("01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a")
NEWEST = 2**63 - 1
ANY = {"statuses": None, "kinds": None, "since": None, "until": None}
FAR = datetime(2100, 1, 1, tzinfo=UTC)
ERRORS = {"fingerprints": None, "since": None, "until": None, "before": NEWEST}
AUDITED = {"since": FAR, "actions": None, "tenant": None, "actor": None}
REQUESTS = {"most_bytes": 10**9, "texts": ['"g"'], "numbers": [None]}


def cases(tenant_id, place):
    everybody, one = {"tenant_id": None}, {"tenant_id": tenant_id}
    ranged = {"before": place, "floor": place - WINDOW}
    return [
        ("read_found_operations", "places_by_id", {**everybody, "id": SOME_ID}),
        ("read_found_operations", "places_by_key", {**everybody, "idempotency_key": "key-7"}),
        ("read_found_operations", "walk_operations", {**everybody, **ANY, **ranged}),
        ("read_found_operations", "walk_operations", {**everybody, **ANY, **ranged, "statuses": ["cancelled"]}),
        ("read_found_operations", "walk_operations", {**one, **ANY, "before": NEWEST, "floor": 0}),
        ("read_found_operations", "walk_operations", {**one, **ANY, "before": NEWEST, "floor": 0, "since": FAR}),
        ("read_found_operations", "walk_open_operations", {**everybody, **ANY, **ranged, "statuses": ["queued"]}),
        ("read_found_operations", "walk_requests", {**one, **ANY, **REQUESTS, "before": NEWEST}),
        ("read_found_operations", "events_of", {**one, "id": SOME_ID, "first": 7, "last": 9, "until": None}),
        ("read_found_operations", "events_of", {**one, "id": SOME_ID, "first": 7, "last": None, "until": FAR}),
        ("read_dead_letters", "dead_letters", {**ERRORS}),
        ("read_dead_letters", "dead_letters", {**ERRORS, "since": FAR}),
        ("read_dead_letters", "dead_letters_of_tenant", {**ERRORS, **one, "fingerprints": ["nothing"]}),
        ("read_dead_letters", "dead_letters_of_error", {**ERRORS, "fingerprint": "error-2"}),
        ("read_dead_letters", "dead_letters_of_error_of_tenant", {**ERRORS, **one, "fingerprint": "error-2"}),
        ("read_dead_letters", "page_of_errors", {**everybody, "count": NEWEST, "fingerprint": "~"}),
        ("read_dead_letters", "count_meant", {**everybody, "fingerprint": "error-2", "code": None, "kind": None}),
        ("read_dead_letters", "count_named", {"ids": [SOME_ID]}),
        (
            "read_audit",
            "page_of_audit",
            {"before": NEWEST, "since": FAR, "actions": None, "tenant": None, "actor": None},
        ),
        ("dead_letters", "next_dead_letters", {**one, **ERRORS, "cursor": 0, "up_to": NEWEST, "rows": LIMIT}),
        ("dead_letters", "named_dead_letters", {**one, "ids": [SOME_ID], "cursor": 0, "up_to": NEWEST, "rows": 9}),
        ("passes", "lock_tenants", {"tenant_ids": [tenant_id]}),
        ("passes", "read_cancelled", {"tenant_ids": [tenant_id], "rows": LIMIT}),
    ]


@pytest.fixture
async def filled(database, sql):
    tenants = [await administration.create_tenant(database, key=f"t{n}", org="o", name="n") for n in range(TENANTS)]
    for statement in (FILL, COUNT, OUTBOX, AUDIT):
        await sql.execute(statement)
    await sql.execute("VACUUM ANALYZE")
    return tenants[0].id, await sql.fetchval("SELECT last_value + 1 FROM operation_seq")


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_read_of_operators_has_a_bounded_plan(sql, filled, mode):
    await sql.execute(f"SET plan_cache_mode = {mode}")
    too_much = []
    for file, name, binds in cases(*filled):
        values = {"window": WINDOW, "limit": LIMIT, **binds}
        steps = await unbounded_steps(sql, load(file)[name], values, tables=BIG, bound=BOUND)
        too_much += [f"{name} {binds}: {step}" for step in steps]
    assert "\n".join(too_much) == ""
