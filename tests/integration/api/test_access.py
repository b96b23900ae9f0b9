"""Who may call, how often, and what is answered when there is nothing to call: no refusal leaves anything behind."""

from datetime import UTC, datetime, timedelta

import httpx

from api.app import create_app
from infra.postgres.administration import create_token, list_tokens, revoke_token
from infra.settings import Settings
from tests.support.api import serving
from tests.support.refusals import refused

GROUPS = "/api/admin/users/v4/user-groups"
CREATE = f"{GROUPS}/sales/assignments"
BATCH = f"{GROUPS}/assignments/batch"
GOOD = {"user_id": "ada", "role_id": "trainer"}


async def test_bad_credentials(idle):
    expired = await idle.token("groups:write", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = await idle.token("groups:write")
    newest = max(await list_tokens(idle.services.database, tenant_key="acme"), key=lambda token: token.created_at)
    await revoke_token(idle.services.database, newest.id)
    good = idle.headers["Authorization"].removeprefix("Bearer ")
    for credentials in (
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {'0' * 64}"},
        {"Authorization": f"Basic {good}"},
        {"Authorization": good},
        {"Authorization": f"Bearer {good}0"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        expired,
        revoked,
    ):
        response = await refused(idle, "POST", CREATE, status=401, body=GOOD, headers=credentials)
        assert response.json()["code"] == "UNAUTHENTICATED"
        assert "Bearer" in response.headers["www-authenticate"]
    for scheme in ("Api-Token", "Api-Key", "bearer"):
        passed = await idle.call("GET", CREATE, headers={"Authorization": f"{scheme} {good}"})
        assert passed.json()["code"] == "USER_GROUP_DOES_NOT_EXIST"


async def test_scopes_that_do_not_suffice(idle):
    operator = await create_token(idle.services.database, tenant_key=None, scopes=["ops:write", "tenants:admin"])
    for headers, method in (
        (await idle.token("groups:read"), "POST"),
        (await idle.token("directory:write", "licenses:write", "operations:read"), "POST"),
        (await idle.token("directory:write"), "GET"),
        ({"Authorization": f"Bearer {operator.token}"}, "GET"),
        ({"Authorization": f"Bearer {operator.token}"}, "POST"),
    ):
        response = await refused(idle, method, CREATE, status=403, body=GOOD, headers=headers)
        assert response.json()["code"] == "FORBIDDEN"
    writer = await idle.token("groups:write")
    assert (await idle.call("GET", CREATE, headers=writer)).status_code == 404  # writing implies reading


async def test_too_many_requests_of_one_tenant(database_url):
    async with serving(database_url, with_worker=False, rate_limit_per_minute=3) as api:
        stranger = await api.other_tenant("stranger")
        for _ in range(3):
            assert (await api.call("GET", CREATE)).status_code == 404
        response = await refused(api, "GET", CREATE, status=429)
        assert response.json()["code"] == "TOO_MANY_REQUESTS"
        assert 0 < int(response.headers["retry-after"]) <= 60
        assert (await stranger.call("GET", CREATE)).status_code == 404


async def test_too_many_open_operations_of_one_tenant(database_url):
    async with serving(database_url, with_worker=False, open_operations_limit=2) as api:
        for _ in range(2):
            assert (await api.call("POST", CREATE, GOOD, headers={"Prefer": "respond-async"})).status_code == 202
        response = await refused(api, "POST", CREATE, status=429, body=GOOD)
        assert response.json()["code"] == "TOO_MANY_OPEN_OPERATIONS"
        assert int(response.headers["retry-after"]) > 0


async def test_a_database_that_cannot_be_reached():
    app = create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        for method, path, body in (("GET", CREATE, None), ("POST", CREATE, GOOD), ("POST", BATCH, {"items": [{}]})):
            response = await client.request(method, path, json=body, headers={"Authorization": f"Bearer {'0' * 64}"})
            assert (response.status_code, response.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
            assert int(response.headers["retry-after"]) > 0
            assert "seatline-operation" not in response.headers
