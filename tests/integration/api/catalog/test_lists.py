"""The lists of the catalogue API: pages and their links, every filter, both orders, and what they never show."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from domain.entitlements import State
from tests.support.api import Api

PROGRAM = "/api/catalog/licenses/program/"
USERS = f"{PROGRAM}assignment/"
GROUPS = f"{PROGRAM}assignment/group/"
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)
EARLIER = NOW - timedelta(days=1)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def listed(api: Api, path: str, **params):
    response = await api.call("GET", path, params=params)
    assert response.status_code == 200, response.text
    assert "seatline-operation" not in response.headers
    return response.json()


async def names(api: Api, **params):
    page = await listed(api, PROGRAM, **params)
    assert page["count"] == len(page["results"])
    return [one["name"] for one in page["results"]]


@pytest.fixture
async def pools(rows):
    """In this order: three programs, a bundle between them."""
    return {
        "first": await rows.pool(
            "first", name="Data 50%_off", external_id="o-1", source="crm", program_id=7, program_key="data",
            program_name="Data Science", capacity=10, metadata='{"a": [1, null]}', starts_at=EARLIER,
        ),
        "bundle": await rows.pool("bundle", kind="bundle", code="IDU", name="Data bundle", external_id="o-2"),
        "second": await rows.pool("second", name="data again", program_id=7, program_key="data", active=False),
        "third": await rows.pool("third", name="Art", program_id=8, program_key="art", expires_at=LATER, source="crm"),
    }  # fmt: skip


async def test_a_licence_shows_all_that_the_contract_names(api, pools):
    [shown] = (await listed(api, PROGRAM, external_id="o-1"))["results"]
    assert INSTANT.fullmatch(shown.pop("created"))
    assert shown == {
        "id": pools["first"], "name": "Data 50%_off", "count": 10, "usage_count": 0, "active": True,
        "started": f"{EARLIER.replace(tzinfo=None).isoformat(timespec='microseconds')}Z", "expired": None,
        "metadata": {"a": [1, None]}, "source": "crm", "external_id": "o-1", "platform_key": "acme", "program_id": 7,
        "program_key": "data", "program_name": "Data Science",
    }  # fmt: skip
    [bare] = (await listed(api, PROGRAM, name="Art"))["results"]
    assert (bare["count"], bare["started"], bare["metadata"], bare["external_id"]) == (None, None, None, None)
    assert INSTANT.fullmatch(bare["expired"])


async def test_licences_are_filtered_and_bundles_are_none(api, pools):
    for params, expected in (
        ({}, ["Art", "data again", "Data 50%_off"]),
        ({"active": "true"}, ["Art", "Data 50%_off"]),
        ({"active": "false"}, ["data again"]),
        ({"external_id": "o-1"}, ["Data 50%_off"]),
        ({"external_id": "o-2"}, []),
        ({"name": "Art"}, ["Art"]),
        ({"name": "art"}, []),
        ({"name": "Ar"}, []),
        ({"program_id": "7"}, ["data again", "Data 50%_off"]),
        ({"program_id": str(2**62)}, []),
        ({"query": "DATA"}, ["data again", "Data 50%_off"]),
        ({"query": "50%_"}, ["Data 50%_off"]),
        ({"query": "5%"}, []),
        ({"query": ""}, ["Art", "data again", "Data 50%_off"]),
        ({"source": "crm"}, ["Art", "Data 50%_off"]),
        ({"source": ""}, ["data again"]),
        ({"source": "crm", "query": "a", "active": "true", "program_id": "8"}, ["Art"]),
        (
            {"platform_key": "acme", "platform_org": "acme-org", "unknown": "passes"},
            ["Art", "data again", "Data 50%_off"],
        ),
    ):
        assert await names(api, **params) == expected, params


async def test_licences_are_sorted_either_way(api, pools):
    newest_first = ["Art", "data again", "Data 50%_off"]
    for sort in ("-id", "-created"):
        assert await names(api, sort=sort) == newest_first
    for sort in ("id", "created"):
        assert await names(api, sort=sort) == newest_first[::-1]


async def test_verbose_counts_assignments(api, rows, pools):
    await rows.seat(pools["first"], "ada")
    await rows.seat(pools["first"], "new@example.org")
    await rows.seat(pools["first"], "bo", State.QUEUED)
    await rows.seat(pools["first"], "ed", State.PARKED)
    await rows.seat(pools["first"], "cy", State.SUSPENDED)
    _, _, first = (await listed(api, PROGRAM, verbose="true"))["results"]
    assert first["assignments"] == {"total": 5, "active": 2, "pending": 2}
    assert first["usage_count"] == 2
    assert all("assignments" not in one for one in (await listed(api, PROGRAM, verbose="false"))["results"])


async def test_pages_lead_to_each_other_by_absolute_links(api, rows):
    for number in range(5):
        await rows.pool(f"p{number}")
    page = await listed(api, PROGRAM, page_size="2", sort="id", query="p", unknown="a b&c")
    assert [one["name"] for one in page["results"]] == ["p0", "p1"]
    assert page["previous"] is None is page["previous_page"]
    seen = list(page["results"])
    while page["next"]:
        assert page["next"] == page["next_page"]
        address = urlsplit(page["next"])
        assert (address.scheme, address.netloc, address.path) == ("http", "api.test", PROGRAM)
        sent = dict(parse_qsl(address.query))
        assert sent.items() >= {"page_size": "2", "sort": "id", "query": "p", "unknown": "a b&c"}.items()
        page = (await api.call("GET", page["next"])).json()
        seen += page["results"]
    assert [one["name"] for one in seen] == [f"p{number}" for number in range(5)]
    assert page["count"] == 5
    assert page["previous"] == page["previous_page"]
    assert dict(parse_qsl(urlsplit(page["previous"]).query))["page"] == "2"


async def test_a_page_behind_the_last_is_empty_and_leads_back(api, rows):
    empty = await listed(api, PROGRAM, page="7")
    assert (empty["count"], empty["results"], empty["next"]) == (0, [], None)
    assert dict(parse_qsl(urlsplit(empty["previous"]).query))["page"] == "1"
    for number in range(3):
        await rows.pool(f"p{number}")
    beyond = await listed(api, PROGRAM, page=str(2**31 - 1), page_size="2")
    assert (beyond["count"], beyond["results"], beyond["next"]) == (3, [], None)
    assert dict(parse_qsl(urlsplit(beyond["previous"]).query))["page"] == "2"


async def test_a_page_has_25_results_unless_told(api, rows):
    for number in range(27):
        await rows.pool(f"p{number}")
    assert len((await listed(api, PROGRAM))["results"]) == 25
    assert len((await listed(api, PROGRAM, page_size="100"))["results"]) == 27


@pytest.fixture
async def seats(rows, pools):
    """Of the first licence, in this order."""
    grant = await rows.grant(pools["first"], "sales")
    return {
        "ada": await rows.seat(pools["first"], "ada", grants=(0, grant)),
        "new": await rows.seat(pools["first"], "New@example.org"),
        "bo": await rows.seat(pools["first"], "bo", State.QUEUED, grants=(grant,)),
        "cy": await rows.seat(pools["first"], "cy", State.SUSPENDED),
        "ed": await rows.seat(pools["first"], "ed", State.PARKED),
        "late": await rows.seat(pools["first"], "late@example.org", State.QUEUED),
        "di": await rows.seat(pools["first"], "di", State.BLOCKED, grants=(grant,)),
    }


@pytest.fixture
async def people(api, pools, seats):
    """Who is listed, by the fixture's names."""
    of_id = {number: name for name, number in seats.items()}

    async def listed_people(**params):
        page = await listed(api, USERS, license_id=str(pools["first"]), **params)
        assert page["count"] == len(page["results"])
        return [of_id[one["id"]] for one in page["results"]]

    return listed_people


async def test_an_assignment_shows_all_that_the_page_names(api, rows, pools, seats):
    page = await listed(api, USERS, license_id=str(pools["first"]))
    ada, new = page["results"][:2]
    for shown in (ada, new):
        assert INSTANT.fullmatch(shown.pop("created"))
        assert INSTANT.fullmatch(shown.pop("modified"))
    license_fields = {"license_id": pools["first"], "license_name": "Data 50%_off", "program_key": "data"}
    assert ada == {
        "id": seats["ada"], "user_id": await rows.user_id("ada"), "username": "ada.user", "name": "Ada Young",
        "email": "ada@Example.org", "active": True, "fulfilled": True, "direct": True, "redirect_to": None,
        "metadata": None, **license_fields,
    }  # fmt: skip
    assert new == {
        "id": seats["new"], "user_id": None, "username": None, "name": None, "email": "New@example.org",
        "active": True, "fulfilled": False, "direct": True, "redirect_to": None, "metadata": None, **license_fields,
    }  # fmt: skip
    states = {one["id"]: (one["active"], one["fulfilled"], one["direct"]) for one in page["results"][2:]}
    assert states == {
        seats["bo"]: (True, False, False),
        seats["cy"]: (False, False, True),
        seats["ed"]: (True, False, True),
        seats["late"]: (True, False, True),
        seats["di"]: (True, False, False),
    }


async def test_assignments_are_filtered(people, rows):
    everybody = ["ada", "new", "bo", "cy", "ed", "late", "di"]
    ada = str(await rows.user_id("ada"))
    for params, expected in (
        ({}, everybody),
        ({"active": "true"}, ["ada", "new", "bo", "ed", "late", "di"]),
        ({"active": "false"}, ["cy"]),
        ({"fulfilled": "true"}, ["ada"]),
        ({"fulfilled": "false"}, ["new", "bo", "cy", "ed", "late", "di"]),
        ({"fulfilled": "true", "active": "true"}, ["ada"]),
        ({"fulfilled": "true", "active": "false"}, []),
        ({"fulfilled": "false", "active": "true"}, ["new", "bo", "ed", "late", "di"]),
        ({"fulfilled": "false", "active": "false"}, ["cy"]),
        ({"user_id": ada}, ["ada"]),
        ({"user_id": ada, "fulfilled": "false"}, []),
        ({"user_id": "1000000"}, []),
        ({"email": "ADA@example.ORG"}, ["ada"]),
        ({"email": "new@EXAMPLE.org"}, ["new"]),
        ({"email": "new@example.org", "fulfilled": "true"}, []),
        ({"email": "new@example.org", "active": "true"}, ["new"]),
        ({"email": "nobody@example.org"}, []),
        ({"email": ""}, []),
        ({"email": "ada@example.org", "user_id": ada}, ["ada"]),
        ({"email": "new@example.org", "user_id": ada}, []),
        ({"email": "cy@example.org", "active": "false"}, ["cy"]),
        ({"email": "cy@example.org", "active": "true"}, []),
    ):
        assert await people(**params) == expected, params


async def test_assignments_are_sorted_either_way(people):
    everybody = ["ada", "new", "bo", "cy", "ed", "late", "di"]
    for sort in ("id", "created"):
        assert await people(sort=sort) == everybody
    for sort in ("-id", "-created"):
        assert await people(sort=sort) == everybody[::-1]
    assert await people(sort="-id", fulfilled="false", active="true") == ["di", "late", "ed", "bo", "new"]


async def test_assignments_come_in_pages(api, pools, seats):
    page = {"license_id": str(pools["first"]), "page_size": "2", "active": "true"}
    third = await listed(api, USERS, **page, page="3")
    assert third["count"] == 6
    assert [one["id"] for one in third["results"]] == [seats["late"], seats["di"]]
    assert third["next"] is None
    assert (await listed(api, USERS, **page, page="4"))["results"] == []
    of_person = await listed(api, USERS, license_id=str(pools["first"]), email="new@example.org", page="2")
    assert (of_person["count"], of_person["results"]) == (1, [])


async def test_nothing_is_fulfilled_before_the_licence_starts(api, rows):
    pool = await rows.pool("later", starts_at=LATER)
    await rows.seat(pool, "ada")
    await rows.grant(pool, "empty")
    for path in (USERS, GROUPS):
        [shown] = (await listed(api, path, license_id=str(pool)))["results"]
        assert shown["fulfilled"] is False
        for params, count in (({"fulfilled": "true"}, 0), ({"fulfilled": "false"}, 1), ({"active": "false"}, 0)):
            page = await listed(api, path, license_id=str(pool), **params)
            assert (page["count"], len(page["results"])) == (count, count)


async def test_a_group_assignment_shows_all_that_the_page_names(api, rows, pools):
    grant = await rows.grant(pools["first"], "sales", assigned=2, waiting=1, metadata='{"a": 1}')
    [shown] = (await listed(api, GROUPS, license_id=str(pools["first"])))["results"]
    assert INSTANT.fullmatch(shown.pop("created"))
    assert INSTANT.fullmatch(shown.pop("modified"))
    assert shown == {
        "id": grant, "group_id": await rows.group_id("sales"), "group_name": "Group sales", "active": True,
        "fulfilled": False, "redirect_to": None, "metadata": {"a": 1}, "license_id": pools["first"],
        "license_name": "Data 50%_off", "program_key": "data", "program_name": "Data Science", "user_count": 3,
        "assigned_count": 2, "waiting_count": 1,
    }  # fmt: skip


async def test_group_assignments_are_filtered_and_sorted(api, rows, pools):
    first = pools["first"]
    full = await rows.grant(first, "sales", assigned=3)
    await rows.grant(first, "empty", removed_at=NOW)
    off = await rows.grant(first, "empty", active=False)
    await rows.grant(pools["third"], "sales")
    for params, expected in (
        ({}, [full, off]),
        ({"sort": "-id"}, [off, full]),
        ({"sort": "created"}, [full, off]),
        ({"sort": "-created"}, [off, full]),
        ({"active": "true"}, [full]),
        ({"active": "false"}, [off]),
        ({"fulfilled": "true"}, [full]),
        ({"fulfilled": "false"}, [off]),
        ({"fulfilled": "true", "active": "false"}, []),
        ({"group_id": str(await rows.group_id("empty"))}, [off]),
        ({"group_id": "1000000"}, []),
    ):
        page = await listed(api, GROUPS, license_id=str(first), **params)
        assert [one["id"] for one in page["results"]] == expected, params
        assert page["count"] == len(expected)
    second = await listed(api, GROUPS, license_id=str(first), page="2", page_size="1")
    assert ([one["id"] for one in second["results"]], second["count"]) == ([off], 2)


@pytest.mark.parametrize("path", [USERS, GROUPS])
async def test_bundles_and_licences_of_others_do_not_exist(api, rows, sql, pools, path):
    stranger = await api.other_tenant("stranger")
    foreign = await sql.fetchval(
        "INSERT INTO license (tenant_id, key, name, kind) VALUES ($1, 'x', 'x', 'program') RETURNING id",
        stranger.tenant.id,
    )
    answers = []
    for license_id in (10**9, 0, 2**63 - 1, foreign, pools["bundle"]):
        response = await api.call("GET", path, params={"license_id": str(license_id)})
        assert response.status_code == 404
        answers.append(response.json())
    assert answers[0] == {
        "error": "The licence does not exist.",
        "code": "LICENSE_DOES_NOT_EXIST",
        "details": {"field": "license_id"},
    }
    assert all(answer == answers[0] for answer in answers)
    assert (await stranger.call("GET", path, params={"license_id": str(pools["first"])})).status_code == 404
    assert (await listed(stranger, PROGRAM))["count"] == 1


async def test_a_head_is_a_get_without_a_body(api, pools):
    response = await api.call("HEAD", USERS, params={"license_id": str(pools["first"])})
    assert (response.status_code, response.content) == (200, b"")
