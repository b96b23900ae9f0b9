"""No list of the native API reads more than its window, however large the tenant: the plans are looked at.

Both plans of every block are: the one for these very values, and the generic one that a prepared statement may turn to.
"""

import json
from datetime import UTC, datetime

import pytest

from domain.events import EventType
from infra.postgres.reads.operations import NEWEST
from infra.postgres.statements import load
from tests.support.directory import add_events, add_groups, add_members, add_operations, add_people

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
    return tenant


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_list_has_a_bounded_plan(sql, large_tenant, mode):
    await sql.execute(f"SET plan_cache_mode = {mode}")
    too_much = []
    for file, name, binds in CASES:
        statement = load(file)[name]
        values = {"tenant_id": large_tenant.id, "window": WINDOW, "limit": LIMIT, **binds}
        await sql.execute(f"PREPARE looked_at AS {statement.sql}")
        arguments = ", ".join(literal(values[bind]) for bind in statement.binds)
        plan = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at ({arguments})")
        await sql.execute("DEALLOCATE looked_at")
        too_much += [f"{name} {binds}: {step}" for step in unbounded(json.loads(plan)[0]["Plan"])]
    assert too_much == []


def unbounded(plan):
    """The steps that read a big table as a whole, or more rows than the bound."""
    touched = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    table = plan.get("Relation Name")
    if table in BIG_TABLES and (plan["Node Type"] == "Seq Scan" or touched > BOUND):
        yield f"{plan['Node Type']} of {table} touches {touched} rows"
    for step in plan.get("Plans", []):
        yield from unbounded(step)


def literal(value):
    match value:
        case None:
            return "NULL"
        case list():
            return f"ARRAY[{', '.join(literal(item) for item in value)}]"
        case bool() | int():
            return str(value)
        case datetime():
            return f"'{value.isoformat()}'"
        case _:
            return "'" + value.replace("'", "''") + "'"
