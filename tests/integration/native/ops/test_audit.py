"""Whatever is administered leaves an entry, in the same transaction, with who did it."""

import pytest

from domain.audit import COMMAND_LINE, Action, AuditEntry
from infra.postgres.administration import create_tenant, create_token, revoke_token
from infra.postgres.audit import write_audit


async def entries(api, operator, parameters=""):
    response = await api.call("GET", f"/v1/ops/audit{parameters}", headers=operator)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def test_what_an_operator_administers_is_on_record_with_their_name(api, operator):
    created = await api.call("POST", "/v1/ops/tenants", {"key": "new", "org": "o", "name": "n"}, headers=operator)
    assert created.status_code == 201
    sent = {"tenant": "new", "scopes": ["groups:read"], "name": "reader"}
    issued = (await api.call("POST", "/v1/ops/tokens", sent, headers=operator)).json()
    for _ in range(2):
        await api.call("DELETE", f"/v1/ops/tokens/{issued['id']}", headers=operator)
    found = await entries(api, operator, "?tenant=new")
    assert [(one["action"], one["subject"], one["tenant"]) for one in found] == [
        ("token.revoked", f"tokens/{issued['id']}", "new"),
        ("token.created", f"tokens/{issued['id']}", "new"),
        ("tenant.created", "tenants/new", "new"),
    ]
    assert {one["actor"]["name"] for one in found} == {"on call"}
    assert found[1]["details"] == {"name": "reader", "scopes": ["groups:read"]}
    assert issued["token"] not in str(found)


async def test_the_command_line_is_an_actor_of_its_own(api, operator):
    database = api.services.database
    await create_tenant(database, key="by-hand", org="o", name="n")
    issued = await create_token(database, tenant_key=None, scopes=["ops:read"], name="screen")
    await revoke_token(database, issued.id)
    found = await entries(api, operator, "?actor=command%20line&limit=3")
    assert [one["action"] for one in found] == ["token.revoked", "token.created", "tenant.created"]
    assert [(one["actor"], one["tenant"]) for one in found] == [
        ("command line", None),
        ("command line", None),
        ("command line", "by-hand"),
    ]


async def test_an_entry_goes_with_what_it_records(api, operator):
    async def fail_after_writing():
        async with api.services.database.transaction() as tx:
            await write_audit(tx, AuditEntry(actor=COMMAND_LINE, action=Action.REDRIVE, subject="nothing"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    assert await entries(api, operator, "?action=dead_letters.redrive") == []


async def test_the_trail_is_read_by_page_and_by_what_is_asked(api, operator, watcher):
    for number in range(5):
        await create_tenant(api.services.database, key=f"t{number}", org="o", name="n")
    found, cursor = [], ""
    while cursor is not None:
        page = await api.call("GET", f"/v1/ops/audit?limit=2{cursor and '&cursor='}{cursor}", headers=watcher)
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    assert [one["tenant"] for one in found if one["action"] == "tenant.created"] == [
        "t4",
        "t3",
        "t2",
        "t1",
        "t0",
        "acme",
    ]
    assert await entries(api, watcher, "?action=tenant.created,token.revoked&limit=500") == [
        one for one in found if one["action"] == "tenant.created"
    ]
    assert await entries(api, watcher, "?since=2999-01-01") == []
    assert await entries(api, watcher, "?actor=nobody") == []
    for wrong in ("limit=501", "action=sung", "since=soon", "cursor=x"):
        response = await api.call("GET", f"/v1/ops/audit?{wrong}", headers=watcher)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMETER")


async def test_only_an_operator_who_may_look_reads_it(api):
    assert (await api.call("GET", "/v1/ops/audit")).status_code == 403
    issued = await create_token(api.services.database, tenant_key=None, scopes=["tenants:admin"])
    response = await api.call("GET", "/v1/ops/audit", headers={"Authorization": f"Bearer {issued.token}"})
    assert response.status_code == 403
    assert (await api.client.get("/v1/ops/audit")).status_code == 401
