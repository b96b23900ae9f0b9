"""No list of the native API reads more than its window, however large the tenant: the plans are looked at.

Both plans of every block are: the one for these very values, and the generic one that a prepared statement may turn to.
"""

from datetime import UTC, datetime

import pytest

from domain.events import EventType
from infra.postgres.reads.operations import NEWEST
from infra.postgres.statements import load
from tests.support.directory import add_events, add_groups, add_members, add_operations, add_people
from tests.support.fences import act_as_reader
from tests.support.plans import unbounded_steps

PEOPLE = 6_000
WINDOW = 100
LIMIT = 10
# What one page may touch in any one step: the window, or the message that a page of events begins in.
BOUND = WINDOW + 1
BIG_TABLES = {"app_user", "group_assignment", "group_member", "operation", "outbox", "user_group"}

FIRST = {"after_group": 0, "after_user": 0, "after_role": 0}
USERS = {"department": "Department 3", "active": True, "username_key": None, "email_key": None}

CASES = [
    ("read_directory", "find_user", {"key": "u77"}),
    ("read_directory", "find_group", {"key": "g7"}),
    ("read_directory", "page_of_users", {**USERS, "after": 0}),
    ("read_directory", "page_of_users", {**USERS, "after": 3_000, "department": "Nobody's"}),
    ("read_directory", "page_of_members", {**USERS, "after": 0, "group_id": 1}),
    ("read_directory", "users_by_name", {**USERS, "after": 0, "username_key": "user7"}),
    ("read_directory", "users_by_name", {**USERS, "after": 0, "email_key": "u7@example.org"}),
    ("read_directory", "page_of_groups", {"after": 0, "name": "Group 700"}),
    ("read_assignments", "assignments_of_tenant", {**FIRST, "sources": 4}),
    ("read_assignments", "assignments_of_group", {**FIRST, "sources": 15, "group_id": 1}),
    ("read_assignments", "assignments_of_person", {**FIRST, "sources": 15, "group_id": None, "user_id": 1}),
    ("read_assignments", "assignments_of_person", {**FIRST, "sources": 15, "group_id": 1, "user_id": 1}),
    ("read_assignments", "group_and_user", {"group": "g7", "user": "u7"}),
    (
        "read_operations",
        "page_of_operations",
        {"before": NEWEST, "statuses": ["failed"], "kinds": None, "since": datetime(2100, 1, 1, tzinfo=UTC)},
    ),
    ("read_events", "page_of_events", {"after": 0}),
    ("read_events", "page_of_events", {"after": 4_321}),
    ("read_events", "page_of_events_by_type", {"after": 4_321, "types": ["user.updated", "group.updated"]}),
    ("read_events", "page_of_events_by_type", {"after": 0, "types": ["user.deleted"]}),
]


@pytest.fixture
async def large_tenant(sql, tenant):
    await add_people(sql, tenant.id, PEOPLE)
    await add_groups(sql, tenant.id, 2_000)
    await add_members(sql, tenant.id, "g1", PEOPLE)
    await add_operations(sql, tenant.id, PEOPLE)
    runs = [(EventType.USER_UPDATED, 30), (EventType.OPERATION_FINISHED, 1)] * (PEOPLE // 31)
    await add_events(sql, tenant.id, "acme", *runs)
    await sql.execute("ANALYZE")
    await act_as_reader(sql, tenant.id)
    return tenant


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_list_has_a_bounded_plan(sql, large_tenant, mode):
    await sql.execute(f"SET plan_cache_mode = {mode}")
    too_much = []
    for file, name, binds in CASES:
        statement = load(file)[name]
        values = {"tenant_id": large_tenant.id, "window": WINDOW, "limit": LIMIT, **binds}
        steps = await unbounded_steps(sql, statement, values, tables=BIG_TABLES, bound=BOUND)
        too_much += [f"{name} {binds}: {step}" for step in steps]
    assert too_much == []
