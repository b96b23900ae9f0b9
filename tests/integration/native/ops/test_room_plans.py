"""What the operators' room asks reads a bounded number of rows, whatever the tables hold: the plans are looked at.

Both plans of every block are: the one for these very values, and the generic one.
"""

from datetime import timedelta

import pytest

from domain.entitlements import State
from domain.events import EventType
from infra.postgres.reads.fulfilment import _OF_GRANTS
from infra.postgres.statements import load
from infra.postgres.workers import LOCK_CLASS
from tests.support.directory import add_events, add_groups, add_operations, add_people
from tests.support.entitlements import add_grant, add_holders, add_licenses
from tests.support.plans import unbounded_steps

ROWS = 4_000
WINDOW = 100
BOUND = WINDOW + 1
LAST = 2**63 - 1
BIG_TABLES = {"operation", "outbox", "group_license", "license", "entitlement", "process_measure", "overview_sample"}
SPAN = {"after_tenant": 0, "after_id": 0, "last_tenant": LAST, "limit": 10, "kinds": _OF_GRANTS}

CASES = [
    ("read_overview", "open_operations", {}),
    ("read_overview", "oldest_queued", {}),
    ("read_overview", "pending_outbox", {}),
    ("read_overview", "dead_letters", {}),
    ("read_overview", "recent_measures", {"period": timedelta(seconds=60)}),
    ("read_workers", "read_workers", {"most_workers": 500, "most_operations": 50}),
    ("measures", "last_sample", {}),
    ("read_fulfilment", "page_of_grants", {**SPAN, "state": None}),
    ("read_fulfilment", "page_of_grants", {**SPAN, "state": "running"}),
    ("read_fulfilment", "page_of_pools", SPAN),
    ("read_fulfilment", "next_tenant_with_waiting", {"from_tenant": 0}),
    ("read_event_tail", "settled_message", {"hole": timedelta(seconds=2)}),
    ("read_event_tail", "messages_after", {"after": 0, "limit": 100}),
    ("read_event_tail", "newest_messages", {"types": ["user.deleted"], "limit": 10}),
    ("read_event_tail", "newest_messages_of_tenant", {"types": None, "limit": 10, "tenant_id": 1}),
]


@pytest.fixture
async def large(sql, tenant):
    """A day of measures, and thousands of everything else; half of the operations are queued, a tenth has failed."""
    await add_people(sql, tenant.id, ROWS)
    await add_groups(sql, tenant.id, ROWS)
    await add_licenses(sql, tenant.id, ROWS)
    await add_operations(sql, tenant.id, ROWS)
    await sql.execute("UPDATE operation SET status = 'queued' WHERE seq % 2 = 1")
    await add_events(sql, tenant.id, "acme", *[(EventType.USER_UPDATED, 1), (EventType.GROUP_UPDATED, 1)] * 2_000)
    await sql.execute("UPDATE outbox SET published_at = NULL WHERE id % 2 = 0")
    await add_grant(sql, tenant.id, "g1", "l1")
    await add_holders(sql, tenant.id, "l1", 1, ROWS, state=State.QUEUED)
    await sql.execute(
        "INSERT INTO group_license (tenant_id, group_id, license_id) "
        "SELECT $1, user_group.id, license.id FROM user_group JOIN license USING (tenant_id) "
        " WHERE tenant_id = $1 AND 'l' || substr(user_group.key, 2) = license.key AND user_group.key <> 'g1'",
        tenant.id,
    )
    for table, columns in (
        ("process_measure", "(at, process_id, accept_counts, apply_counts) SELECT at, gen_random_uuid(), '{}', '{}'"),
        ("overview_sample", "(at, depth_is_capped, dead_letters_by_code, workers_alive) SELECT at, false, '{}', 0"),
    ):
        await sql.execute(
            f"INSERT INTO {table} {columns} FROM generate_series(now() - interval '1 day', now(), '20 s') AS at"
        )
    await sql.execute("VACUUM ANALYZE")
    return tenant


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_everything_that_is_asked_at_a_glance_has_a_bounded_plan(sql, large, mode):
    await sql.execute(f"SET plan_cache_mode = {mode}")
    too_much = []
    for file, name, binds in CASES:
        values = {"counted": WINDOW, "window": WINDOW, "lock_class": LOCK_CLASS, **binds}
        steps = await unbounded_steps(sql, load(file)[name], values, tables=BIG_TABLES, bound=BOUND)
        too_much += [f"{name} {binds}: {step}" for step in steps]
    assert too_much == []
