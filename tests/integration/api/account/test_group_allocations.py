"""Bundles of a group: the set is replaced as a whole or not at all, and its members hold what it says."""

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from tests.support.api import bundles

ACCOUNT = "/acme-org/lease_/api/account/acme"
LICENSES = f"{ACCOUNT}/user-license"
GROUP = f"{LICENSES}/group/devs"
EMPTY = f"{LICENSES}/group/empty"
MEMBERS = ["ada", "bo", "cy", "di", "ed"]
# The published page's own example body.
PAGE_BODY = '{\n    "userBundleCodes": ["RPADEVPRONU", "IDU", "CTZDEVCU"], \n    "useExternalLicense": false\n}'


async def allocate(api, *codes, method="PUT", path=GROUP, **options):
    return await api.call(method, path, {"userBundleCodes": list(codes), **options.pop("body", {})}, **options)


async def allocated(api, *codes, **options):
    """Allocate, and the answer of a call that is well."""
    response = await allocate(api, *codes, **options)
    assert response.status_code == 200, response.text
    return response.json()


async def holders(api, path=GROUP):
    """Who holds what through the group."""
    page = (await api.call("GET", f"{path}/bulk-users")).json()
    assert page["totalCount"] == len(page["results"])
    return {one["id"]: one["userBundleLicenses"] for one in page["results"]}


async def in_use(api):
    """Seats held, by code."""
    quantities = (await api.call("GET", LICENSES)).json()
    assert all(one["allocated"] == one["inUse"] for one in quantities)
    return {one["code"]: one["inUse"] for one in quantities}


def shown(*codes, group="devs", external=False):
    return {
        "groupId": group,
        "organizationId": "acme",
        "useExternalLicense": external,
        "userBundleCodes": list(codes),
    }


async def change(api, op, user, group="devs"):
    item = AssignmentChange(op=op, group=group, user=user, role="member")
    await api.arrange(ChangeAssignments(items=(item,)))


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_the_page_s_example_is_answered_as_the_page_says(api, method):
    await api.arrange(bundles(RPADEVPRONU=5, IDU=None, CTZDEVCU=6))
    headers = {"Content-Type": "application/json"}
    response = await api.call(method, GROUP, content=PAGE_BODY, headers=headers)
    assert (response.status_code, response.json()) == (200, shown("RPADEVPRONU", "IDU", "CTZDEVCU"))
    assert "Seatline-Operation" in response.headers
    assert (await api.call("GET", GROUP)).json() == response.json()
    assert await holders(api) == {user: ["RPADEVPRONU", "IDU", "CTZDEVCU"] for user in MEMBERS}
    assert await in_use(api) == {"RPADEVPRONU": 5, "IDU": 5, "CTZDEVCU": 5}


async def test_the_set_is_replaced(api):
    await api.arrange(bundles(IDU=5, PMD=5, ACNU=5))
    await allocated(api, "IDU", "PMD")
    assert await allocated(api, "ACNU", "PMD") == shown("ACNU", "PMD")
    assert await in_use(api) == {"ACNU": 5, "IDU": 0, "PMD": 5}
    assert set((await api.call("GET", GROUP)).json()["userBundleCodes"]) == {"ACNU", "PMD"}
    # What stays is not asked for again: all seats of PMD are taken, by this group itself.
    assert await allocated(api, "PMD", "PMD") == shown("PMD")
    assert await in_use(api) == {"ACNU": 0, "IDU": 0, "PMD": 5}


async def test_an_empty_array_or_a_deletion_withdraws_all(api):
    await api.arrange(bundles(IDU=5))
    for withdraw in (allocated(api, "IDU"), allocated(api)):
        await withdraw
    assert await in_use(api) == {"IDU": 0}
    await allocated(api, "IDU", body={"useExternalLicense": True})
    for _ in range(2):
        response = await api.call("DELETE", GROUP)
        assert (response.status_code, response.json()) == (200, shown())
        assert await in_use(api) == {"IDU": 0}
        assert (await api.call("GET", GROUP)).json() == shown()


async def test_the_external_flag_is_stored_and_echoed(api):
    await api.arrange(bundles(IDU=5))
    assert await allocated(api, "IDU", body={"useExternalLicense": True}) == shown("IDU", external=True)
    assert (await api.call("GET", GROUP)).json() == shown("IDU", external=True)
    assert await allocated(api, "IDU") == shown("IDU")
    assert (await api.call("GET", GROUP)).json() == shown("IDU")


async def test_too_few_seats_change_nothing_and_are_told_by_code(api):
    await api.arrange(bundles(IDU=4, PMD=5, ACNU=3))
    response = await allocate(api, "PMD", "IDU", "ACNU", headers={"X-Request-Id": "r1"})
    assert response.status_code == 409
    assert response.json() == {
        "errorCode": "QUANTITIES_EXCEEDED",
        "message": "The license allocation is not allowed because it exceeds the account license quantities.",
        "traceId": "r1",
        "details": {"codes": {"IDU": {"requested": 5, "available": 4}, "ACNU": {"requested": 5, "available": 3}}},
    }
    assert "Seatline-Operation" in response.headers
    assert (await api.call("GET", GROUP)).json() == shown()
    assert await in_use(api) == {"ACNU": 0, "IDU": 0, "PMD": 0}


async def test_a_refused_replacement_keeps_the_old_set(api):
    await api.arrange(bundles(IDU=5, PMD=4))
    await allocated(api, "IDU")
    assert (await allocate(api, "PMD")).status_code == 409
    assert (await api.call("GET", GROUP)).json() == shown("IDU")
    assert await in_use(api) == {"IDU": 5, "PMD": 0}


@pytest.mark.parametrize(("path", "requested"), [(GROUP, 5), (EMPTY, 0)])
async def test_a_known_code_without_a_licence_has_none_available(api, path, requested):
    await api.arrange(bundles(IDU=5))
    response = await allocate(api, "IDU", "PMBU", path=path)
    assert (response.status_code, response.json()["errorCode"]) == (409, "QUANTITIES_EXCEEDED")
    assert response.json()["details"] == {"codes": {"PMBU": {"requested": requested, "available": 0}}}
    assert await in_use(api) == {"IDU": 0}


async def test_refusals_come_in_their_order(api):
    unknown = f"{LICENSES}/group/nobody"

    async def code(path, *codes):
        response = await allocate(api, *codes, path=path)
        return response.status_code, response.json()["errorCode"]

    assert await code(unknown, "NONSENSE") == (404, "ACCOUNT_DOES_NOT_EXIST")
    await api.arrange(bundles(IDU=4))
    assert await code(unknown, "NONSENSE") == (404, "USER_GROUP_DOES_NOT_EXIST")
    assert await code(GROUP, "IDU", "NONSENSE") == (400, "UNKNOWN_BUNDLE_CODE")
    assert await code(GROUP, "idu") == (400, "UNKNOWN_BUNDLE_CODE")
    assert await code(GROUP, "IDU") == (409, "QUANTITIES_EXCEEDED")
    refused = await allocate(api, "IDU", "NONSENSE", headers={"Accept-Language": "fr-CH"})
    assert refused.headers["Content-Language"] == "fr"
    assert refused.json()["details"]["code"] == "NONSENSE"


async def test_a_withdrawal_names_what_does_not_exist(api):
    assert (await api.call("DELETE", GROUP)).json()["errorCode"] == "ACCOUNT_DOES_NOT_EXIST"
    await api.arrange(bundles(IDU=4))
    response = await api.call("DELETE", f"{LICENSES}/group/nobody")
    assert (response.status_code, response.json()["errorCode"]) == (404, "USER_GROUP_DOES_NOT_EXIST")


async def test_a_new_name_is_a_code_once_a_licence_has_it(api):
    await api.arrange(bundles(OURS=5))
    assert await allocated(api, "OURS") == shown("OURS")


async def test_who_joins_gets_the_set_and_who_leaves_loses_it(api):
    await api.arrange(bundles(IDU=1, PMD=1))
    assert await allocated(api, "PMD", "IDU", path=EMPTY) == shown("PMD", "IDU", group="empty")
    await change(api, AssignmentOp.ASSIGN, "bo", "empty")
    await change(api, AssignmentOp.ASSIGN, "ada", "empty")
    assert await holders(api, EMPTY) == {"bo": ["PMD", "IDU"]}
    await change(api, AssignmentOp.UNASSIGN, "bo", "empty")
    assert await holders(api, EMPTY) == {"ada": ["PMD", "IDU"]}


async def test_a_member_of_two_groups_holds_one_seat_until_the_last_takes_it(api):
    await api.arrange(bundles(IDU=5))
    await change(api, AssignmentOp.ASSIGN, "ada", "empty")
    await allocated(api, "IDU")
    assert await allocated(api, "IDU", path=EMPTY) == shown("IDU", group="empty")
    assert await in_use(api) == {"IDU": 5}
    await allocated(api)
    assert await in_use(api) == {"IDU": 1}
    assert (await holders(api), await holders(api, EMPTY)) == ({}, {"ada": ["IDU"]})


async def test_what_a_group_gives_stays_when_a_person_s_own_are_replaced(api):
    async def own(*codes):
        response = await api.call("PUT", LICENSES, {"userIds": ["ada"], "userBundleCodes": list(codes)})
        assert response.status_code == 200, response.text

    await api.arrange(bundles(IDU=5, PMD=5))
    await allocated(api, "IDU")
    await own("IDU", "PMD")
    assert await in_use(api) == {"IDU": 5, "PMD": 1}
    await own()
    assert await in_use(api) == {"IDU": 5, "PMD": 0}
    await own("IDU")
    await allocated(api)
    assert await in_use(api) == {"IDU": 1, "PMD": 0}


async def test_a_dry_run_tells_and_changes_nothing(api):
    await api.arrange(bundles(IDU=5, PMD=None, ACNU=4))
    await allocated(api, "IDU")
    answer = await allocated(api, "PMD", "IDU", params={"dry_run": "true"})
    demand = {"PMD": {"requested": 5, "available": None, "wouldWait": 0}}
    assert answer == {**shown("PMD", "IDU"), "demand": demand}
    refused = await allocate(api, "ACNU", params={"dry_run": "true"})
    assert refused.status_code == 409
    assert refused.json()["details"] == {"codes": {"ACNU": {"requested": 5, "available": 4}}}
    emptied = await api.call("DELETE", GROUP, params={"dry_run": "true"})
    assert (emptied.status_code, emptied.json()) == (200, {**shown(), "demand": {}})
    assert (await api.call("GET", GROUP)).json() == shown("IDU")
    assert await in_use(api) == {"ACNU": 0, "IDU": 5, "PMD": 0}


async def test_an_allocation_may_be_answered_later_and_replayed(api):
    await api.arrange(bundles(IDU=5))
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    accepted = await allocate(api, "IDU", headers=headers)
    assert accepted.status_code == 202
    replayed = await allocate(api, "IDU", headers={"Idempotency-Key": "k"})
    assert (replayed.status_code, replayed.json()) == (200, shown("IDU"))
    assert replayed.headers["Idempotency-Replayed"] == "true"
    operation = (await api.call("GET", accepted.headers["Location"])).json()
    assert operation["kind"] == "group_bundles.replace"
    assert operation["response"] == {"status": 200, "body": shown("IDU")}
    other = await allocate(api, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_groups_with_bundles_are_those_that_were_allocated_to(api):
    await api.arrange(bundles(IDU=5))
    await allocated(api, "IDU", body={"useExternalLicense": True})
    listed = (await api.call("GET", f"{LICENSES}/groups/with-quota")).json()
    rule = {"id": "devs", "name": "Group devs", "userBundleLicenses": ["IDU"], "useExternalLicense": True}
    assert listed == {"results": [{"groupRule": rule, "quotas": []}], "totalCount": 1}
