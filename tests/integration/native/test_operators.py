"""/v1/ops/tenants and /v1/ops/tokens over HTTP, and the probes."""

from uuid import uuid4

import pytest

from infra.postgres.administration import create_token
from tests.support.api import groups, serving


@pytest.fixture
async def operator(api):
    issued = await create_token(api.services.database, tenant_key=None, scopes=["tenants:admin"])
    return {"Authorization": f"Api-Token {issued.token}"}


async def test_an_operator_makes_a_tenant_and_a_token_that_works(api, operator):
    sent = {"key": "new-one", "org": "New Org", "name": "New One"}
    created = await api.call("POST", "/v1/ops/tenants", sent, headers=operator)
    assert created.status_code == 201
    assert {name: created.json()[name] for name in sent} == sent
    again = await api.call("POST", "/v1/ops/tenants", sent, headers=operator)
    assert (again.status_code, again.json()["code"]) == (409, "TENANT_ALREADY_EXISTS")
    sent = {
        "tenant": "new-one",
        "scopes": ["directory:write", "PM.License.Read"],
        "expires_at": "2999-01-01T00:00:00+01:00",
        "roles": ["member"],
        "name": "import",
    }
    issued = await api.call("POST", "/v1/ops/tokens", sent, headers=operator)
    assert issued.status_code == 201
    assert issued.json()["expires_at"] == "2998-12-31T23:00:00.000000Z"
    assert list(issued.json()) == ["id", "token", "tenant", "scopes", "expires_at"]
    theirs = {"Authorization": f"Bearer {issued.json()['token']}"}
    assert (await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers=theirs)).status_code == 201
    listed = await api.call("GET", "/v1/ops/tokens?tenant=new-one", headers=operator)
    (token,) = listed.json()["items"]
    assert (token["roles"], token["name"], token["revoked_at"]) == (["member"], "import", None)
    assert issued.json()["token"] not in listed.text
    for _ in range(2):
        revoked = await api.call("DELETE", f"/v1/ops/tokens/{token['id']}", headers=operator)
        assert (revoked.status_code, revoked.json()["id"]) == (200, token["id"])
    assert revoked.json()["revoked_at"] is not None
    assert (await api.call("GET", "/v1/groups/g", headers=theirs)).status_code == 401


async def test_tenants_and_tokens_are_listed_by_page(api, operator):
    for key in ("b", "c", "d"):
        await api.call("POST", "/v1/ops/tenants", {"key": key, "org": "o", "name": "n"}, headers=operator)
        await create_token(api.services.database, tenant_key=key, scopes=["groups:read"])
    for path, name, expected in (
        ("tenants", "key", ["acme", "b", "c", "d"]),
        ("tokens", "tenant", [None, "acme", "b", "c", "d"]),
    ):
        found, cursor = [], ""
        while cursor is not None:
            page = await api.call("GET", f"/v1/ops/{path}?limit=2{cursor and '&cursor='}{cursor}", headers=operator)
            found += [item[name] for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
        assert found == expected
    operators = await api.call("GET", "/v1/ops/tokens?operator=true", headers=operator)
    assert [token["tenant"] for token in operators.json()["items"]] == [None]
    for path in ("tenants?cursor=AAAA", "tokens?cursor=AAAA", "tokens?cursor=MS54", "tokens?cursor=eC54"):
        assert (await api.call("GET", f"/v1/ops/{path}", headers=operator)).status_code == 400


async def test_administration_refuses_by_the_field(api, operator):
    for path, sent, field in (
        ("tenants", {"key": "No", "org": "o", "name": "n"}, "key"),
        ("tenants", {"key": "a" * 64, "org": "o", "name": "n"}, "key"),
        ("tenants", {"key": "a", "org": "a/b", "name": "n"}, "org"),
        ("tenants", {"key": "a", "org": "o"}, "name"),
        ("tenants", {"key": "a", "org": "o", "name": "  "}, "name"),
        ("tokens", {"scopes": ["groups:read"]}, "tenant"),
        ("tokens", {"tenant": "acme", "operator": True, "scopes": ["ops:read"]}, "tenant"),
        ("tokens", {"tenant": "acme", "scopes": []}, "scopes"),
        ("tokens", {"tenant": "acme", "scopes": ["ops:read"]}, "scopes"),
        ("tokens", {"operator": True, "scopes": ["groups:read"]}, "scopes"),
        ("tokens", {"operator": True, "scopes": ["ops:read"], "roles": ["lead"]}, "roles"),
        ("tokens", {"tenant": "acme", "scopes": ["groups:read"], "roles": ["no key"]}, "roles"),
        ("tokens", {"tenant": "acme", "scopes": ["groups:read"], "expires_at": "2030-01-01"}, "expires_at"),
        ("tokens", {"tenant": "acme", "scopes": ["groups:read"], "expires_at": "soon"}, "expires_at"),
        ("tokens", {"tenant": "acme", "scopes": ["groups:read"], "sunny": 1}, "sunny"),
    ):
        response = await api.call("POST", f"/v1/ops/{path}", sent, headers=operator)
        assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED"), sent
        assert response.json()["errors"][0]["field"] == field, sent
    for method, path, sent, code in (
        ("POST", "tokens", {"tenant": "nobody", "scopes": ["groups:read"]}, "TENANT_DOES_NOT_EXIST"),
        ("GET", "tokens?tenant=nobody", None, "TENANT_DOES_NOT_EXIST"),
        ("DELETE", f"tokens/{uuid4()}", None, "TOKEN_DOES_NOT_EXIST"),
        ("DELETE", "tokens/7", None, "TOKEN_DOES_NOT_EXIST"),
    ):
        response = await api.call(method, f"/v1/ops/{path}", sent, headers=operator)
        assert (response.status_code, response.json()["code"]) == (404, code)


async def test_an_operator_has_no_tenant_to_look_into(api, operator):
    await api.arrange(groups("g"))
    assert (await api.call("GET", "/v1/groups/g", headers=operator)).status_code == 403


async def test_the_probes_are_open_and_the_measures_name_no_caller(api):
    await api.call("GET", "/v1/users/secret-key")
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = await api.client.get(path)
        assert (response.status_code, response.json()["status"]) == (200, status)
    measures = await api.client.get("/metrics")
    assert measures.headers["Content-Type"].startswith("text/plain")
    assert 'route="/v1/users/{key}"' in measures.text
    assert "secret-key" not in measures.text


async def test_readiness_needs_the_database_and_not_the_broker(database_url, sql):
    async with serving(database_url, with_worker=False, amqp_url="amqp://x:y@127.0.0.1:1/") as api:
        response = await api.client.get("/readyz")
        assert (response.status_code, response.json()) == (200, {"status": "ready", "database": True, "broker": False})
        api.is_filled_by_hand = True
        await sql.execute("ALTER TABLE tenant RENAME TO not_there_yet")
        unready = await api.client.get("/readyz")
        assert int(unready.headers["Retry-After"]) > 0
        assert (unready.status_code, unready.json()["database"]) == (503, False)
        assert (await api.client.get("/healthz")).status_code == 200
