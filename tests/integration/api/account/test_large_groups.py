"""A large group is answered after its first chunk; quantities say at once what it will take, and its members follow."""

import pytest

from tests.support.api import bundles, people
from tests.support.directory import add_groups, add_members, add_people
from tests.support.waiting import found

LICENSES = "/acme-org/lease_/api/account/acme/user-license"
GROUP = f"{LICENSES}/group/g1"
PEOPLE = 3_000


@pytest.fixture
async def large(api, sql):
    """The group `g1` of 3,000 active people."""
    await add_people(sql, api.tenant.id, PEOPLE)
    await add_groups(sql, api.tenant.id, 1)
    await sql.execute("UPDATE app_user SET active = true")
    await add_members(sql, api.tenant.id, "g1", PEOPLE)
    await sql.execute("UPDATE user_group SET user_count = $1, assignment_count = $1 WHERE key = 'g1'", PEOPLE)
    return api


async def quantities(api):
    pools = (await api.call("GET", LICENSES)).json()
    return {one["code"]: (one["total"], one["allocated"], one["inUse"]) for one in pools}


async def settled(api, response):
    """Wait until the operation has ended; the operation."""
    address = f"/v1/operations/{response.headers['Seatline-Operation']}"

    async def has_ended():
        return (await api.call("GET", address)).json()["status"] not in {"queued", "running"}

    await found(has_ended)
    return (await api.call("GET", address)).json()


async def test_the_answer_comes_first_and_the_seats_are_spoken_for(large):
    await large.arrange(bundles(IDU=PEOPLE, PMD=None))
    response = await large.call("PUT", GROUP, {"userBundleCodes": ["IDU", "PMD"]}, headers={"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["userBundleCodes"]) == (200, ["IDU", "PMD"])
    _, allocated, in_use = (await quantities(large))["IDU"]
    assert in_use <= allocated == PEOPLE
    # Nothing is left for others while the members are still being reached.
    await large.arrange(people("late"))
    refused = await large.call("PUT", LICENSES, {"userIds": ["late"], "userBundleCodes": ["IDU"]})
    assert refused.status_code == 409
    assert refused.json()["details"]["codes"] == {"IDU": {"requested": 1, "available": 0}}

    operation = await settled(large, response)
    assert (operation["status"], operation["response"]) == ("succeeded", {"status": 200, "body": response.json()})
    assert await quantities(large) == {"IDU": (PEOPLE, PEOPLE, PEOPLE), "PMD": (None, PEOPLE, PEOPLE)}
    page = (await large.call("GET", f"{GROUP}/bulk-users", params={"skip": PEOPLE - 1})).json()
    assert (len(page["results"]), page["totalCount"]) == (1, PEOPLE)
    replayed = await large.call("PUT", GROUP, {"userBundleCodes": ["IDU", "PMD"]}, headers={"Idempotency-Key": "k"})
    assert replayed.content == response.content


async def test_a_quota_of_a_large_group_is_filled_in_the_order_of_its_members(large):
    limit = PEOPLE - 500
    await large.arrange(bundles(IDU=limit))
    body = {"userBundleCodes": ["IDU"], "quotas": [{"userBundleCode": "IDU", "limit": limit}]}
    response = await large.call("PUT", f"{GROUP}/with-quota", body)
    assert response.status_code == 200
    await settled(large, response)
    shown = (await large.call("GET", f"{GROUP}/with-quota")).json()
    assert shown["quotas"] == [{"userBundleCode": "IDU", "limit": limit, "currentUsage": limit}]
    assert await quantities(large) == {"IDU": (limit, limit, limit)}
    last = (await large.call("GET", f"{GROUP}/bulk-users", params={"sortOrder": "desc", "top": 1})).json()
    assert last["totalCount"] == limit

    response = await large.call("DELETE", GROUP)
    assert (response.status_code, response.json()["userBundleCodes"]) == (200, [])
    assert (await large.call("GET", GROUP)).json()["userBundleCodes"] == []
    await settled(large, response)
    assert await quantities(large) == {"IDU": (limit, 0, 0)}
