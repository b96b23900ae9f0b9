"""Whom a wave names is looked up as one list for each tenant, not by a probe for each name."""

import pytest

from infra.postgres.statements import load
from tests.support.directory import add_people
from tests.support.plans import walks

PEOPLE = 2_000
NAMED = 500


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_the_people_of_a_tenant_are_found_in_one_walk_along_the_index_of_their_keys(sql, tenant, mode):
    await add_people(sql, tenant.id, PEOPLE)
    await sql.execute("ANALYZE app_user")
    await sql.execute(f"SET plan_cache_mode = {mode}")
    find_named = load("assignments")["find_named"]
    nobody = dict[str, list[object]].fromkeys(find_named.binds, [])
    people = {"person_tenant_ids": [tenant.id] * NAMED, "person_keys": [f"u{n}" for n in range(1, NAMED + 1)]}
    assert await walks(sql, find_named, nobody | people, "app_user") == ["app_user_key_key"]
