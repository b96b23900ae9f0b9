"""Bundles of people: their own are replaced, all or nothing over all of them; what groups give them stays."""

import pytest

from domain.commands import PutUsers, UserPut
from tests.support.api import bundles, people

LICENSES = "/acme-org/lease_/api/account/acme/user-license"


async def allocate(api, users, *codes, method="PUT", external=False, **options):
    body = {"userIds": users, "userBundleCodes": list(codes), "useExternalLicense": external}
    return await api.call(method, LICENSES, body, **options)


async def allocated(api, users, *codes, **options):
    response = await allocate(api, users, *codes, **options)
    assert response.status_code == 200, response.text
    return response.json()


def shown(users, *codes, external=False):
    return [
        {"userId": user, "organizationId": "acme", "useExternalLicense": external, "userBundleCodes": list(codes)}
        for user in users
    ]


async def in_use(api):
    return {one["code"]: one["inUse"] for one in (await api.call("GET", LICENSES)).json()}


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_the_published_example_is_answered_as_published(api, method):
    singers = ["singer-77", "singer-88", "singer-111"]
    await api.arrange(people(*singers), bundles(RPADEVNU=3, ATTUNU=None, TSTNU=5))
    answer = await allocated(api, singers, "RPADEVNU", "ATTUNU", "TSTNU", method=method, external=True)
    assert answer == shown(singers, "RPADEVNU", "ATTUNU", "TSTNU", external=True)
    assert await in_use(api) == {"ATTUNU": 3, "RPADEVNU": 3, "TSTNU": 3}


async def test_what_people_have_of_their_own_is_replaced(api):
    await api.arrange(bundles(IDU=2, PMD=2))
    await allocated(api, ["ada", "bo"], "IDU")
    assert await allocated(api, ["bo", "ada", "bo"], "PMD", "PMD") == shown(["bo", "ada"], "PMD")
    assert await in_use(api) == {"IDU": 0, "PMD": 2}
    await allocated(api, ["ada"], "IDU", "PMD")
    assert await in_use(api) == {"IDU": 1, "PMD": 2}
    assert await allocated(api, ["ada", "bo"]) == shown(["ada", "bo"])
    assert await in_use(api) == {"IDU": 0, "PMD": 0}


async def test_too_few_seats_change_nothing_for_anybody(api):
    await api.arrange(bundles(IDU=2, PMD=9))
    await allocated(api, ["ada"], "IDU")
    refused = await allocate(api, ["ada", "bo", "cy"], "IDU", "PMD")
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "QUANTITIES_EXCEEDED")
    assert refused.json()["details"]["codes"] == {"IDU": {"requested": 2, "available": 1}}
    assert await in_use(api) == {"IDU": 1, "PMD": 0}
    without = await allocate(api, ["bo"], "ACNU")
    assert without.json()["details"]["codes"] == {"ACNU": {"requested": 1, "available": 0}}


async def test_refusals_come_in_their_order_and_change_nothing(api):
    async def code(users, *codes):
        response = await allocate(api, users, *codes)
        return response.status_code, response.json()["errorCode"]

    assert await code(["nobody"], "NONSENSE") == (404, "ACCOUNT_DOES_NOT_EXIST")
    await api.arrange(bundles(IDU=2), PutUsers(items=(UserPut(key="off", username="off", active=False),)))
    unknown = await allocate(api, ["ada", "nobody"], "NONSENSE")
    assert (unknown.status_code, unknown.json()["errorCode"]) == (404, "USER_DOES_NOT_EXIST")
    assert unknown.json()["details"]["user"] == "nobody"
    assert await code(["ada", "off"], "NONSENSE") == (400, "UNKNOWN_BUNDLE_CODE")
    inactive = await allocate(api, ["ada", "off"], "IDU")
    assert (inactive.status_code, inactive.json()["errorCode"]) == (409, "USER_IS_NOT_ACTIVE")
    assert inactive.json()["details"]["user"] == "off"
    assert await code(["ada", "bo", "cy"], "IDU") == (409, "QUANTITIES_EXCEEDED")
    assert await in_use(api) == {"IDU": 0}
    assert await allocated(api, ["off"]) == shown(["off"])


async def test_another_tenant_s_people_never_existed(api):
    stranger = await api.other_tenant("stranger")
    await stranger.arrange(people("theirs"))
    await api.arrange(bundles(IDU=2))
    for user in ("theirs", "never"):
        refused = await allocate(api, [user], "IDU")
        assert (refused.status_code, refused.json()["details"]["user"]) == (404, user)


async def test_a_dry_run_tells_and_changes_nothing(api):
    await api.arrange(bundles(IDU=2, PMD=None))
    await allocated(api, ["ada"], "IDU")
    answer = await allocated(api, ["ada", "bo"], "IDU", "PMD", params={"dry_run": "true"})
    demand = {
        "IDU": {"requested": 1, "available": 1, "wouldWait": 0},
        "PMD": {"requested": 2, "available": None, "wouldWait": 0},
    }
    assert answer == [{**one, "demand": demand} for one in shown(["ada", "bo"], "IDU", "PMD")]
    refused = await allocate(api, ["ada", "bo", "cy"], "IDU", params={"dry_run": "true"})
    assert refused.status_code == 409
    assert await in_use(api) == {"IDU": 1, "PMD": 0}


async def test_a_thousand_people_are_served_at_once(api):
    users = [f"p{number}" for number in range(1000)]
    await api.arrange(people(*users), bundles(IDU=1000))
    assert await allocated(api, users, "IDU") == shown(users, "IDU")
    assert await in_use(api) == {"IDU": 1000}
    too_many = await allocate(api, [*users, "ada"], "IDU")
    assert (too_many.status_code, too_many.json()["errorCode"]) == (400, "VALIDATION_FAILED")
