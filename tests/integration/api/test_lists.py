"""A group's assignments and the roles that may be given: pages, orders, filters, searches."""

import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.sources import SourceName
from tests.support.api import groups, roles

GROUPS = "/api/admin/users/v4/user-groups"
LIST = f"{GROUPS}/sales/assignments"


@pytest.fixture
async def held(api):
    """In this order: ada trainer, bo trainer, cy mentor, di trainer, ada mentor (by a rule)."""
    given = (("ada", "trainer"), ("bo", "trainer"), ("cy", "mentor"), ("di", "trainer"), ("ada", "mentor"))
    for user, role in given:
        source = SourceName.RULE if (user, role) == ("ada", "mentor") else SourceName.MANUAL
        change = AssignmentChange(op=AssignmentOp.ASSIGN, group="sales", user=user, role=role, source=source)
        await api.arrange(ChangeAssignments(items=(change,)))
    return api


async def listed(api, **params):
    response = await api.call("GET", LIST, params=params)
    assert response.status_code == 200, response.text
    shown = [f"{one['user']['id']} {one['role']['id']}" for one in response.json()["assignments"]]
    return shown, response.json()["pagination"]["total_count"]


async def test_the_default_order_is_that_of_creation(held):
    assert await listed(held) == (["ada trainer", "bo trainer", "cy mentor", "di trainer", "ada mentor"], 5)


async def test_names_order_both_ways_and_one_after_the_other(held):
    last_first = {"sort": "USER_LAST_NAME_ASC,USER_FIRST_NAME_DESC"}
    assert (await listed(held, **last_first))[0] == [
        "bo trainer",
        "cy mentor",
        "ada trainer",
        "ada mentor",
        "di trainer",
    ]
    assert (await listed(held, sort="USER_LAST_NAME_DESC"))[0][0] == "di trainer"
    # Where Ä sorts is the database's own affair.
    by_first = (await listed(held, sort=["USER_FIRST_NAME_ASC"]))[0]
    assert [one for one in by_first if "di" not in one] == ["ada trainer", "ada mentor", "bo trainer", "cy mentor"]
    backwards = (await listed(held, sort=["USER_FIRST_NAME_DESC", "USER_LAST_NAME_ASC"]))[0]
    assert [one for one in backwards if "di" not in one] == ["cy mentor", "bo trainer", "ada trainer", "ada mentor"]


async def test_a_term_is_found_in_either_name_or_the_department_without_case(held):
    assert await listed(held, search_term="YOUNG") == (["ada trainer", "cy mentor", "ada mentor"], 3)
    assert await listed(held, search_term="sales") == (["bo trainer"], 1)
    assert await listed(held, search_term="ÄGI") == (["di trainer"], 1)
    assert await listed(held, search_term="nobody") == ([], 0)


async def test_a_term_is_literal(held):
    assert await listed(held, search_term="50%_o") == (["cy mentor"], 1)
    assert await listed(held, search_term="off\\") == (["cy mentor"], 1)
    for wild in ("%", "_", "5_%", "A%a", "ada young", "adayoung"):
        shown, total = await listed(held, search_term=wild)
        assert shown == [one for one in ["cy mentor"] if wild in "50%_off\\"], wild
        assert total == len(shown)


async def test_an_empty_term_asks_nothing(held):
    assert (await listed(held, search_term=""))[1] == 5


async def test_roles_filter_and_unknown_ones_match_nothing(held):
    assert await listed(held, role_ids="mentor") == (["cy mentor", "ada mentor"], 2)
    assert (await listed(held, role_ids="mentor,trainer"))[1] == 5
    assert (await listed(held, role_ids=["mentor", "trainer"]))[1] == 5
    assert await listed(held, role_ids="nonsense") == ([], 0)
    assert await listed(held, role_ids="") == ([], 0)
    assert await listed(held, role_ids="mentor", search_term="ada") == (["ada mentor"], 1)


async def test_pages_hold_what_they_are_asked_for(held):
    response = await held.call("GET", LIST, params={"page_limit": 2, "page_number": 3})
    assert response.json()["pagination"] == {"page_number": 3, "page_limit": 2, "total_count": 5, "total_pages": 3}
    assert [one["user"]["id"] for one in response.json()["assignments"]] == ["ada"]
    pages = [
        (await listed(held, page_limit=1, page_number=number, sort="USER_LAST_NAME_ASC"))[0] for number in range(1, 6)
    ]
    assert [one for page in pages for one in page] == (await listed(held, sort="USER_LAST_NAME_ASC"))[0]
    beyond = await held.call("GET", LIST, params={"page_number": 2_147_483_647, "page_limit": 100})
    assert (beyond.status_code, beyond.json()["assignments"]) == (200, [])


async def test_a_group_without_members_has_an_empty_first_page(api):
    response = await api.call("GET", f"{GROUPS}/support/assignments", params={"embed": "ACTIONS"})
    assert response.json() == {
        "assignments": [],
        "pagination": {"page_number": 1, "page_limit": 25, "total_count": 0, "total_pages": 0},
        "actions": ["CREATE"],
    }


async def test_actions_are_those_of_the_caller(held):
    async def actions(headers):
        body = (await held.call("GET", LIST, params={"embed": "ACTIONS"}, headers=headers)).json()
        return [one["actions"] for one in body["assignments"]], body["actions"]

    may = ["DELETE"]
    assert await actions({}) == ([may, may, may, may, []], ["CREATE"])
    assert await actions(await held.token("groups:read")) == ([[]] * 5, [])
    assert await actions(await held.token("groups:write", roles=["mentor"])) == ([[], [], may, [], []], ["CREATE"])
    assert await actions(await held.token("groups:write", roles=[])) == ([[]] * 5, [])
    assert "actions" not in (await held.call("GET", LIST)).json()


async def test_what_is_out_of_range_or_unknown_is_refused_by_name(idle):
    for params in (
        {"page_number": "0"},
        {"page_number": "-1"},
        {"page_number": "1.5"},
        {"page_number": "x"},
        {"page_number": "99999999999999999999"},
        {"page_limit": "0"},
        {"page_limit": "101"},
        {"sort": "USER_ID_ASC"},
        {"sort": "user_first_name_asc"},
        {"sort": "USER_FIRST_NAME_ASC,USER_FIRST_NAME_DESC"},
        {"embed": "EVERYTHING"},
        {"search_term": "a\0"},
        {"role_ids": "a\0"},
        {"page_number": ["1", "2"]},
    ):
        [name] = params
        for path in (LIST, f"{GROUPS}/sales/assignable-roles"):
            if path == LIST or name not in {"search_term", "role_ids"}:
                response = await idle.call("GET", path, params=params)
                assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMETER")
                assert [problem["field"] for problem in response.json()["details"]["errors"]] == [name]


async def test_an_unknown_group_has_no_lists(api):
    for what in ("assignments", "assignable-roles"):
        response = await api.call("GET", f"{GROUPS}/nothing/{what}")
        assert (response.status_code, response.json()["code"]) == (404, "USER_GROUP_DOES_NOT_EXIST")


async def assignable(api, headers=None, **params):
    response = await api.call("GET", f"{GROUPS}/sales/assignable-roles", params=params, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


async def test_only_roles_of_the_right_scope_may_be_given(api):
    body = await assignable(api)
    assert body["assignable_roles"] == [{"role_id": "member"}, {"role_id": "mentor"}, {"role_id": "trainer"}]
    assert body["pagination"] == {"page_number": 1, "page_limit": 25, "total_count": 3, "total_pages": 1}


async def test_a_limited_token_sees_its_own_roles(api):
    limited = await api.token("groups:read", roles=["trainer", "admin", "nonsense"])
    body = await assignable(api, limited)
    assert body["assignable_roles"] == [{"role_id": "trainer"}]
    assert body["pagination"]["total_count"] == 1
    none = await assignable(api, await api.token("groups:read", roles=[]))
    assert none["assignable_roles"] == []


async def test_roles_come_with_their_words_in_the_caller_s_language(api):
    body = await assignable(api, {"Accept-Language": "de-CH"}, embed="ROLE", sort="ROLE_TITLE_ASC")
    assert [one["role"]["title"] for one in body["assignable_roles"]] == ["Ausbilder", "Begleiter", "Mitglied"]
    assert body["assignable_roles"][0] == {
        "role_id": "trainer",
        "role": {"id": "trainer", "title": "Ausbilder", "description": ""},
    }


async def test_roles_are_ordered_by_the_title_that_is_shown(api):
    await api.arrange(roles("last", it="Zeta"), roles("first", en="alpha", fr="Zeta"))

    async def order(language, sort, **params):
        body = await assignable(api, {"Accept-Language": language}, sort=sort, **params)
        return [one["role_id"] for one in body["assignable_roles"]]

    english = ["first", "member", "mentor", "trainer", "last"]
    assert await order("en", "ROLE_TITLE_ASC") == english
    assert await order("en", "ROLE_TITLE_DESC") == english[::-1]
    assert (await order("fr", "ROLE_TITLE_ASC"))[-2:] == ["first", "last"]
    assert await order("en", "ROLE_TITLE_ASC", page_limit=2, page_number=2) == english[2:4]


async def test_a_list_is_one_tenant_s_and_one_group_s(held):
    stranger = await held.other_tenant("stranger")
    await stranger.arrange(groups("sales"))
    assert await listed(stranger) == ([], 0)
    assert (await held.call("GET", f"{GROUPS}/support/assignments")).json()["assignments"] == []
