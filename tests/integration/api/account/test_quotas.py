"""Quotas: a bundle serves so many members of a group, the others wait for one of them to go."""

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from tests.support.api import bundles

LICENSES = "/acme-org/lease_/api/account/acme/user-license"
GROUP = f"{LICENSES}/group/devs"


async def allocate(api, *codes, quotas=None, **options):
    """PUT with quotas, `quotas` by code; None sends none."""
    body = {"userBundleCodes": list(codes)}
    if quotas is not None:
        body["quotas"] = [{"userBundleCode": code, "limit": limit} for code, limit in quotas.items()]
    return await api.call("PUT", f"{GROUP}/with-quota", body, **options)


async def allocated(api, *codes, **options):
    response = await allocate(api, *codes, **options)
    assert response.status_code == 200, response.text
    return response.json()


def shown(*codes, **quotas):
    """The answer; quotas by code are (limit, current usage)."""
    return {
        "groupRule": {"groupId": "devs", "organizationId": "acme", "userBundleCodes": list(codes)},
        "quotas": [
            {"userBundleCode": code, "limit": limit, "currentUsage": usage} for code, (limit, usage) in quotas.items()
        ],
    }


async def holders(api):
    page = (await api.call("GET", f"{GROUP}/bulk-users")).json()
    assert page["totalCount"] == len(page["results"])
    return [one["id"] for one in page["results"]]


async def read(api):
    return (await api.call("GET", f"{GROUP}/with-quota")).json()


async def leave(api, user):
    item = AssignmentChange(op=AssignmentOp.UNASSIGN, group="devs", user=user, role="member")
    await api.arrange(ChangeAssignments(items=(item,)))


async def test_members_beyond_the_limit_wait_and_need_no_seats(api):
    await api.arrange(bundles(IDU=3, PMD=5))
    assert await allocated(api, "IDU", "PMD", quotas={"IDU": 3}) == shown("IDU", "PMD", IDU=(3, 3))
    assert await read(api) == shown("IDU", "PMD", IDU=(3, 3))
    quantities = (await api.call("GET", LICENSES)).json()
    assert [(one["code"], one["inUse"]) for one in quantities] == [("IDU", 3), ("PMD", 5)]
    page = (await api.call("GET", f"{GROUP}/bulk-users")).json()
    assert [one["userBundleLicenses"] for one in page["results"]] == [["IDU", "PMD"]] * 3 + [["PMD"]] * 2


async def test_who_is_next_moves_up_when_a_member_within_the_limit_goes(api):
    await api.arrange(bundles(IDU=None))
    await allocated(api, "IDU", quotas={"IDU": 2})
    assert await holders(api) == ["ada", "bo"]
    await leave(api, "ada")
    assert await holders(api) == ["bo", "cy"]
    await leave(api, "ed")
    assert await holders(api) == ["bo", "cy"]
    assert await read(api) == shown("IDU", IDU=(2, 2))


async def test_a_limit_may_be_raised_lifted_and_lowered_to_its_usage(api):
    await api.arrange(bundles(IDU=None))
    await allocated(api, "IDU", quotas={"IDU": 2})
    assert await allocated(api, "IDU", quotas={"IDU": 4}) == shown("IDU", IDU=(4, 4))
    assert await holders(api) == ["ada", "bo", "cy", "di"]
    refused = await allocate(api, "IDU", quotas={"IDU": 3})
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "QUOTA_BELOW_USAGE")
    assert refused.json()["details"]["codes"] == {"IDU": {"limit": 3, "currentUsage": 4}}
    assert await read(api) == shown("IDU", IDU=(4, 4))
    await leave(api, "ed")
    assert await allocated(api, "IDU", quotas={"IDU": 4}) == shown("IDU", IDU=(4, 4))
    assert await allocated(api, "IDU", quotas={}) == shown("IDU")
    assert await holders(api) == ["ada", "bo", "cy", "di"]
    assert await allocated(api, "IDU", quotas={"IDU": 9}) == shown("IDU", IDU=(9, 4))


async def test_a_plain_allocation_clears_the_quotas(api):
    await api.arrange(bundles(IDU=None))
    for clear in (
        lambda: api.call("PUT", GROUP, {"userBundleCodes": ["IDU"]}),
        lambda: api.call("POST", GROUP, {"userBundleCodes": ["IDU"]}),
        lambda: allocate(api, "IDU"),
    ):
        await allocated(api)
        await allocated(api, "IDU", quotas={"IDU": 1})
        assert await holders(api) == ["ada"]
        assert (await clear()).status_code == 200
        assert await read(api) == shown("IDU")
        assert await holders(api) == ["ada", "bo", "cy", "di", "ed"]


async def test_demand_is_that_of_the_first_members(api):
    await api.arrange(bundles(IDU=2))
    refused = await allocate(api, "IDU", quotas={"IDU": 3})
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "QUANTITIES_EXCEEDED")
    assert refused.json()["details"]["codes"] == {"IDU": {"requested": 3, "available": 2}}
    answer = await allocated(api, "IDU", quotas={"IDU": 2}, params={"dry_run": "true"})
    assert answer["demand"]["IDU"]["requested"] == 2
    assert answer["demand"]["IDU"]["available"] == 2
    assert await read(api) == shown()


async def test_refusals_come_in_their_order(api):
    async def code(*codes, quotas):
        response = await allocate(api, *codes, quotas=quotas)
        return response.status_code, response.json()["errorCode"]

    await api.arrange(bundles(IDU=2))
    assert await code("NONSENSE", quotas={"PMD": 1}) == (400, "UNKNOWN_BUNDLE_CODE")
    assert await code("IDU", quotas={"PMD": 1}) == (400, "QUOTA_WITHOUT_BUNDLE")
    assert await code("IDU", quotas={"IDU": 0}) == (400, "VALIDATION_FAILED")
    assert await code("IDU", quotas={"IDU": 3}) == (409, "QUANTITIES_EXCEEDED")


async def test_the_external_flag_may_be_sent_and_shows_in_the_other_reads(api):
    await api.arrange(bundles(IDU=5))
    body = {"userBundleCodes": ["IDU"], "quotas": [], "useExternalLicense": True}
    response = await api.call("PUT", f"{GROUP}/with-quota", body)
    assert (response.status_code, response.json()) == (200, shown("IDU"))
    assert (await api.call("GET", GROUP)).json()["useExternalLicense"] is True
