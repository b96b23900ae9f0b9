"""Fulfilment across tenants: what groups were given, how full pools are, and who waits; a fan-out moves."""

import pytest

from api.native.ops import fulfilment_schemas
from domain.continuations import Continuing
from domain.entitlements import State
from infra.postgres.reads import fulfilment as reads
from tests.support.directory import add_groups, add_members, add_people
from tests.support.entitlements import add_grant, add_holders, add_licenses

PATH = "/v1/ops/fulfilment"


@pytest.fixture
async def filled(api, sql):
    """Two tenants: with each, g1 has l1, which u1 to u3 hold and u4 and u5 wait for; g2 has l2, complete."""
    api.is_filled_by_hand = True
    other = await api.other_tenant("stranger")
    for tenant in (api.tenant, other.tenant):
        await add_people(sql, tenant.id, 5)
        await add_groups(sql, tenant.id, 2)
        await add_members(sql, tenant.id, "g1", 5)
        await add_licenses(sql, tenant.id, 3)
        first, second = await add_grant(sql, tenant.id, "g1", "l1"), await add_grant(sql, tenant.id, "g2", "l2")
        await add_holders(sql, tenant.id, "l1", 1, 3, grant_id=first)
        await add_holders(sql, tenant.id, "l1", 4, 5, state=State.QUEUED, grant_id=first)
        await sql.execute("UPDATE user_group SET user_count = 5, assignment_count = 5 WHERE key = 'g1'")
        await sql.execute("UPDATE group_license SET assigned = 3, waiting = 2 WHERE id = $1", first)
        await sql.execute(
            "UPDATE license SET capacity = 4, used = 3, reserved = 1, queued = 2, waiting = 2 WHERE key = 'l1'"
        )
        await sql.execute("UPDATE license SET capacity = NULL WHERE key = 'l2'")
        assert second > first
    return first


async def everything(api, path, headers):
    """All items, by pages of one."""
    items, cursor = [], ""
    while cursor is not None:
        separator = "&" if "?" in path else "?"
        response = await api.call(
            "GET", f"{PATH}/{path}{separator}limit=1{cursor and '&cursor='}{cursor}", headers=headers
        )
        assert response.status_code == 200, response.text
        items += response.json()["items"]
        cursor = response.json()["next_cursor"]
    return items


async def test_groups_are_told_with_their_members_and_what_goes_on(api, watcher, sql, filled):
    items = await everything(api, "groups", watcher)
    for item in items:
        fulfilment_schemas.GroupFulfilment.model_validate(item, strict=True)
    assert [(item["tenant"], item["group"]["key"], item["fulfilled"]) for item in items] == [
        ("acme", "g1", False), ("acme", "g2", True), ("stranger", "g1", False), ("stranger", "g2", True),
    ]  # fmt: skip
    assert {name: items[0][name] for name in ("members", "assigned", "waiting", "suspended", "running")} == {
        "members": 5, "assigned": 3, "waiting": 2, "suspended": 0, "running": None,
    }  # fmt: skip
    assert items[0]["license"]["key"] == "l1"
    assert [item["group"]["key"] for item in await everything(api, "groups?tenant=stranger", watcher)] == ["g1", "g2"]
    assert await everything(api, "groups?state=running", watcher) == []
    operation = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"
    await sql.execute(
        "INSERT INTO continuation (tenant_id, operation_id, operation_seq, kind, target_id, done, total) "
        "SELECT id, $1, 1, $2, $3, 3, 5 FROM tenant WHERE key = 'stranger'",
        operation, Continuing.GIVE.value, filled,
    )  # fmt: skip
    [moving] = await everything(api, "groups?state=running", watcher)
    assert (moving["tenant"], moving["running"]) == ("stranger", {"operation_id": operation, "done": 3, "total": 5})
    assert [item["tenant"] for item in await everything(api, "groups?state=waiting", watcher)] == ["acme", "stranger"]
    assert {item["group"]["key"] for item in await everything(api, "groups?state=fulfilled", watcher)} == {"g2"}


async def test_pools_are_told_by_how_full_they_are(api, watcher, filled):
    items = await everything(api, "licenses?tenant=acme", watcher)
    for item in items:
        fulfilment_schemas.Pool.model_validate(item, strict=True)
    assert [(item["license"]["key"], item["utilisation"]) for item in items][:2] == [("l1", 1.0), ("l2", None)]
    assert len(await everything(api, "licenses", watcher)) == 6


async def test_who_waits_is_told_with_their_place_across_tenants(api, watcher, filled, monkeypatch):
    items = await everything(api, "waiting", watcher)
    for item in items:
        fulfilment_schemas.WaitingPerson.model_validate(item, strict=True)
    assert [(item["tenant"], item["user"]["key"], item["position"], item["waiting_for"]) for item in items] == [
        ("acme", "u4", 1, "seat"), ("acme", "u5", 2, "seat"),
        ("stranger", "u4", 1, "seat"), ("stranger", "u5", 2, "seat"),
    ]  # fmt: skip
    assert items[0]["sources"][0]["group"]["key"] == "g1"
    one = await api.call("GET", f"{PATH}/waiting?tenant=acme&license=l1", headers=watcher)
    assert [item["user"]["key"] for item in one.json()["items"]] == ["u4", "u5"]
    assert one.json()["next_cursor"] is None
    monkeypatch.setattr(reads, "_TENANTS_OF_A_PAGE", 1)
    assert len(await everything(api, "waiting", watcher)) == 4


async def test_fulfilment_refuses_what_it_does_not_know(api, watcher):
    for path, status, code in (
        ("groups?tenant=nobody", 404, "TENANT_DOES_NOT_EXIST"),
        ("licenses?tenant=../x", 404, "TENANT_DOES_NOT_EXIST"),
        ("groups?state=odd", 400, "INVALID_PARAMETER"),
        ("groups?limit=501", 400, "INVALID_PARAMETER"),
        ("licenses?cursor=AAAA", 400, "INVALID_PARAMETER"),
        ("waiting?license=l1", 400, "INVALID_PARAMETER"),
        ("waiting?tenant=acme&license=l1", 404, "LICENSE_DOES_NOT_EXIST"),
    ):
        response = await api.call("GET", f"{PATH}/{path}", headers=watcher)
        assert (response.status_code, response.json()["code"]) == (status, code), path
