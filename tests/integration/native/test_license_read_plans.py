"""No list of licences or entitlements reads more than its window, and no place in line more than is counted.

Both plans of every block are looked at: the one for these very values, and the generic one.
"""

import pytest

from domain.entitlements import State
from infra.postgres.statements import load
from tests.support.directory import add_groups, add_people
from tests.support.entitlements import add_grant, add_holders, add_licenses
from tests.support.fences import act_as_reader
from tests.support.plans import unbounded_steps

PEOPLE = 6_000
LICENSES = 2_000
WINDOW = 100
LIMIT = 10
COUNTED = 80
BOUND = WINDOW + 1
BIG_TABLES = {"app_user", "entitlement", "entitlement_source", "license"}
LAST = 2**63 - 1
EVERY = [int(state) for state in State]

NO_FILTER = {"kind": None, "active": None, "name": None, "code": None, "program_key": None}
ALL = {"after_license": 0, "after_id": 0, "last_license": LAST, "states": EVERY, "user_id": None, "group_id": None}
ONE = {"after_license": 1, "after_id": 0, "last_license": 1}
WAITING = {"states": [2, 3, 4]}

CASES = [
    ("read_licenses", "find_license", {"key": "l77"}),
    ("read_licenses", "page_of_licenses", {**NO_FILTER, "after": 0, "code": "CODE1999"}),
    ("read_licenses", "page_of_licenses", {**NO_FILTER, "after": 1_000, "active": False}),
    ("read_entitlements", "ids_of_filter", {"user": "u7", "license": "l7", "group": "g1"}),
    ("read_entitlements", "entitlements_of_licenses", ALL),
    ("read_entitlements", "entitlements_of_licenses", {**ALL, **ONE}),
    ("read_entitlements", "entitlements_of_licenses", {**ALL, "after_license": 1, "after_id": 4_000}),
    ("read_entitlements", "entitlements_not_active", {**ALL, **WAITING}),
    ("read_entitlements", "entitlements_not_active", {**ALL, **ONE, **WAITING}),
    ("read_entitlements", "entitlements_not_active", {**ALL, **ONE, "states": [5]}),
    ("read_entitlements", "entitlements_of_person", {**ALL, "user_id": 1}),
    ("read_entitlements", "entitlements_of_person", {**ALL, "user_id": 1, "group_id": 1}),
    ("read_entitlements", "entitlements_of_person", {**ALL, **ONE, "user_id": 1}),
    ("read_entitlements", "entitlements_of_address", {**ALL, "email_key": "nobody@b.org"}),
    ("read_entitlements", "entitlements_of_group", {**ALL, "group_id": 1}),
    ("read_entitlements", "entitlements_of_group", {**ALL, **WAITING, "group_id": 1}),
    ("read_entitlements", "entitlements_of_group", {**ALL, **ONE, "group_id": 1}),
    ("read_entitlements", "entitlements_of_group", {**ALL, "group_id": 1, "after_license": 1, "after_id": 5_990}),
    ("read_entitlements", "entitlements_shown", {"ids": [3_000, 5_999, 6_000]}),
    ("read_entitlements", "entitlements_shown", {"ids": [1, 2, 3_002, 12_001]}),
]


@pytest.fixture
async def large_tenant(sql, tenant):
    """l1 is held by half of the people and waited for by the others, all through g1, which has l2 as well."""
    await add_people(sql, tenant.id, PEOPLE)
    await add_groups(sql, tenant.id, 10)
    await add_licenses(sql, tenant.id, LICENSES)
    first, second = [await add_grant(sql, tenant.id, "g1", key) for key in ("l1", "l2")]
    await add_holders(sql, tenant.id, "l1", 1, PEOPLE // 2, grant_id=first)
    await add_holders(sql, tenant.id, "l1", PEOPLE // 2 + 1, PEOPLE, state=State.QUEUED, grant_id=first)
    await add_holders(sql, tenant.id, "l2", 1, PEOPLE, grant_id=second)
    await add_holders(sql, tenant.id, "l3", 1, 5, state=State.QUEUED)
    await sql.execute("VACUUM ANALYZE")
    await act_as_reader(sql, tenant.id)
    return tenant


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_list_has_a_bounded_plan(sql, large_tenant, mode):
    await sql.execute(f"SET plan_cache_mode = {mode}")
    too_much = []
    for file, name, binds in CASES:
        values = {"tenant_id": large_tenant.id, "window": WINDOW, "limit": LIMIT, "counted": COUNTED, **binds}
        steps = await unbounded_steps(sql, load(file)[name], values, tables=BIG_TABLES, bound=BOUND)
        too_much += [f"{name} {binds}: {step}" for step in steps]
    assert too_much == []
