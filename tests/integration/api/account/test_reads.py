"""The account API's reads: quantities, a group's set with and without quotas, licensed groups, licensed members."""

import pytest

ACCOUNT = "/acme-org/lease_/api/account/acme"
LICENSES = f"{ACCOUNT}/user-license"
GROUP = f"{LICENSES}/group/devs"


async def shown(api, path, **params):
    response = await api.call("GET", path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
async def served(api, rows):
    """`devs` has IDU, then ACNU with a quota of 2; `empty` has PMD. All but `ed` hold IDU, who waits."""
    idu, acnu, pmd = [await rows.pool(code) for code in ("IDU", "ACNU", "PMD")]
    of_idu = await rows.grant(idu, "devs", assigned=4)
    of_acnu = await rows.grant(acnu, "devs", quota=2, in_quota=2, assigned=3)
    await rows.grant(pmd, "empty")
    for user in ("ada", "bo", "cy", "di"):
        await rows.seat(idu, user, of_idu, *((0,) if user == "ada" else ()))
    await rows.seat(idu, "ed", of_idu, state=2)
    await rows.seat(acnu, "ada", of_acnu)
    await rows.seat(acnu, "cy", of_acnu)
    await rows.seat(acnu, "di", of_acnu, 0, blocked=(of_acnu,))
    await rows.seat(acnu, "ed", of_acnu, state=3, blocked=(of_acnu,))
    return api


async def test_quantities_are_a_bare_array_by_code(api, rows):
    await rows.pool("PMD", 10, used=3, reserved=4)
    await rows.pool("ACNU", None, used=2)
    await rows.pool(None, 10, kind="program")
    assert await shown(api, LICENSES) == [
        {"code": "ACNU", "total": None, "allocated": 2, "inUse": 2},
        {"code": "PMD", "total": 10, "allocated": 7, "inUse": 3},
    ]


async def test_a_group_s_set_is_in_the_order_of_allocation(served):
    assert await shown(served, GROUP) == {
        "groupId": "devs",
        "organizationId": "acme",
        "useExternalLicense": False,
        "userBundleCodes": ["IDU", "ACNU"],
    }


async def test_a_group_without_bundles_has_the_empty_set(api, rows, sql):
    program, bundle = await rows.pool(None, kind="program"), await rows.pool("IDU")
    await rows.grant(program, "empty")
    await sql.execute("UPDATE group_license SET removed_at = now() WHERE id = $1", await rows.grant(bundle, "empty"))
    await sql.execute("UPDATE user_group SET use_external_license = true WHERE key = 'empty'")
    assert await shown(api, f"{LICENSES}/group/empty") == {
        "groupId": "empty",
        "organizationId": "acme",
        "useExternalLicense": True,
        "userBundleCodes": [],
    }
    rule = {"groupId": "empty", "organizationId": "acme", "userBundleCodes": []}
    assert await shown(api, f"{LICENSES}/group/empty/with-quota") == {"groupRule": rule, "quotas": []}
    assert await shown(api, f"{LICENSES}/group/empty/bulk-users") == {"results": [], "totalCount": 0}
    assert await shown(api, f"{LICENSES}/groups/with-quota") == {"results": [], "totalCount": 0}


async def test_quotas_are_those_that_were_set(served):
    assert await shown(served, f"{GROUP}/with-quota") == {
        "groupRule": {"groupId": "devs", "organizationId": "acme", "userBundleCodes": ["IDU", "ACNU"]},
        "quotas": [{"userBundleCode": "ACNU", "limit": 2, "currentUsage": 2}],
    }


async def test_groups_that_have_bundles_are_listed_with_their_quotas(served):
    devs = {
        "groupRule": {
            "id": "devs",
            "name": "Group devs",
            "userBundleLicenses": ["IDU", "ACNU"],
            "useExternalLicense": False,
        },
        "quotas": [{"userBundleCode": "ACNU", "limit": 2, "currentUsage": 2}],
    }
    empty = {
        "groupRule": {
            "id": "empty",
            "name": "Group empty",
            "userBundleLicenses": ["PMD"],
            "useExternalLicense": False,
        },
        "quotas": [],
    }
    path = f"{LICENSES}/groups/with-quota"
    assert await shown(served, path) == {"results": [devs, empty], "totalCount": 2}
    assert await shown(served, path, sortOrder="desc") == {"results": [empty, devs], "totalCount": 2}
    assert await shown(served, path, skip=1) == {"results": [empty], "totalCount": 2}
    assert await shown(served, path, top=1) == {"results": [devs], "totalCount": 2}
    assert await shown(served, path, skip=2) == {"results": [], "totalCount": 2}


async def test_groups_are_sorted_either_way(served):
    for by in ("Id", "Name", "name"):
        for order, groups in (("asc", ["devs", "empty"]), ("Desc", ["empty", "devs"])):
            page = await shown(served, f"{LICENSES}/groups/with-quota", sortBy=by, sortOrder=order)
            assert [one["groupRule"]["id"] for one in page["results"]] == groups


async def test_members_who_hold_seats_through_the_group_are_listed_with_what_it_gives_them(served):
    assert await shown(served, f"{GROUP}/bulk-users") == {
        "results": [
            {
                "id": "ada",
                "email": "Zada@example.org",
                "name": "Ada",
                "surname": "Young",
                "displayName": "Ada Young",
                "userBundleLicenses": ["IDU", "ACNU"],
            },
            {
                "id": "bo",
                "email": "bo@example.org",
                "name": "Bo",
                "surname": "Xander",
                "displayName": "Bo Xander",
                "userBundleLicenses": ["IDU"],
            },
            {
                "id": "cy",
                "email": None,
                "name": "Ada",
                "surname": "Archer",
                "displayName": "Ada Archer",
                "userBundleLicenses": ["IDU", "ACNU"],
            },
            {
                "id": "di",
                "email": "di@example.org",
                "name": "Di",
                "surname": "",
                "displayName": "Di",
                "userBundleLicenses": ["IDU"],
            },
        ],
        "totalCount": 4,
    }


async def test_members_are_paged_and_counted(served, sql):
    path = f"{GROUP}/bulk-users"

    async def page(**params):
        answer = await shown(served, path, **params)
        return [one["id"] for one in answer["results"]], answer["totalCount"]

    assert await page(top=2) == (["ada", "bo"], 4)
    assert await page(skip=1, top=2) == (["bo", "cy"], 4)
    assert await page(skip=3, top=2) == (["di"], 4)
    assert await page(skip=4, top=2) == ([], 4)
    assert await page(sortOrder="desc", top=3) == (["di", "cy", "bo"], 4)
    # Of one grant, and of one that serves every member, the workers' own counts are told.
    await sql.execute("DELETE FROM group_license WHERE quota = 2")
    assert await page(top=2) == (["ada", "bo"], 4)


async def test_members_are_sorted_either_way(served):
    for by, ascending, descending in (
        ("Id", ["ada", "bo", "cy", "di"], ["di", "cy", "bo", "ada"]),
        ("Email", ["bo", "di", "ada", "cy"], ["cy", "ada", "di", "bo"]),
        ("Name", ["ada", "cy", "bo", "di"], ["di", "bo", "ada", "cy"]),  # equal names by creation, both ways
        ("surname", ["di", "cy", "bo", "ada"], ["ada", "bo", "cy", "di"]),
        ("DisplayName", ["cy", "ada", "bo", "di"], ["di", "bo", "ada", "cy"]),
    ):
        for order, ids in (("asc", ascending), ("DESC", descending)):
            page = await shown(served, f"{GROUP}/bulk-users", sortBy=by, sortOrder=order)
            assert [one["id"] for one in page["results"]] == ids, (by, order)


async def test_who_has_neither_name_is_shown_by_username(api, rows):
    pool = await rows.pool("IDU")
    await rows.seat(pool, "ed", await rows.grant(pool, "devs", assigned=1))
    page = await shown(api, f"{GROUP}/bulk-users")
    assert [one["displayName"] for one in page["results"]] == ["ed"]


async def test_the_short_addresses_answer_too(served):
    for path in ("group/devs/with-quota", "group/devs/bulk-users", "groups/with-quota"):
        assert await shown(served, f"{ACCOUNT}/{path}") == await shown(served, f"{LICENSES}/{path}")


async def test_what_is_out_of_range_or_unknown_is_refused_by_name(idle):
    for params in (
        {"skip": "-1"},
        {"skip": "x"},
        {"skip": "2147483648"},
        {"top": "0"},
        {"top": "51"},
        {"top": ""},
        {"sortBy": "LastInUse"},
        {"sortBy": ""},
        {"sortOrder": "ascending"},
    ):
        for path in (f"{GROUP}/bulk-users", f"{LICENSES}/groups/with-quota"):
            response = await idle.call("GET", path, params=params)
            assert response.status_code == 400
            body = response.json()
            assert body["errorCode"] == "INVALID_PARAMETER"
            assert [error["field"] for error in body["details"]["errors"]] == list(params)


async def test_a_parameter_given_twice_is_refused(idle):
    response = await idle.client.get(f"{GROUP}/bulk-users?sortBy=Id&sortBy=Name", headers=idle.headers)
    assert (response.status_code, response.json()["errorCode"]) == (400, "INVALID_PARAMETER")


async def test_reads_pass_over_parameters_that_they_do_not_know(api, rows):
    await rows.pool("IDU")
    assert (await api.call("GET", GROUP, params={"expand": "all"})).status_code == 200
