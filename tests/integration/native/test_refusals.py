"""What the native API refuses before it accepts anything: nobody, the wrong one, and the malformed. Nothing changes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.native.routes import PARTS
from domain.scopes import OPERATOR_SCOPES, TENANT_SCOPES
from infra.postgres.administration import create_token, revoke_token
from tests.support.api import groups, people, roles, serving
from tests.support.jwts import AUDIENCE, ISSUER, Issuer

OPERATION = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"
LICENSE = {"name": "X", "kind": "bundle", "code": "X", "capacity": 1}

# Every route: how it is called, and which scopes open it.
ROUTES = [
    ("GET", "/v1/users", None, {"directory:read", "directory:write"}),
    ("GET", "/v1/users/x", None, {"directory:read", "directory:write"}),
    ("PUT", "/v1/users/x", {"username": "x"}, {"directory:write"}),
    ("DELETE", "/v1/users/x", None, {"directory:write"}),
    ("POST", "/v1/users:batch", {"items": [{"key": "x", "username": "x"}]}, {"directory:write"}),
    *[
        route
        for kind, fields in (("groups", {"name": "X"}), ("roles", {"permission_scope": "X", "titles": {"en": "X"}}))
        for route in (
            ("GET", f"/v1/{kind}", None, {"directory:read", "directory:write", "groups:read", "groups:write"}),
            ("GET", f"/v1/{kind}/x", None, {"directory:read", "directory:write", "groups:read", "groups:write"}),
            ("PUT", f"/v1/{kind}/x", fields, {"directory:write"}),
            ("DELETE", f"/v1/{kind}/x", None, {"directory:write"}),
            ("POST", f"/v1/{kind}:batch", {"items": [{"key": "x", **fields}]}, {"directory:write"}),
        )
    ],
    ("GET", "/v1/group-assignments", None, {"groups:read", "groups:write"}),
    ("POST", "/v1/group-assignments:batch", {"items": [{}]}, {"groups:write"}),
    ("POST", "/v1/groups/x:reprocess", None, {"directory:write", "licenses:write"}),
    ("GET", "/v1/licenses", None, {"licenses:read", "licenses:write"}),
    ("GET", "/v1/licenses/x", None, {"licenses:read", "licenses:write"}),
    ("PUT", "/v1/licenses/x", LICENSE, {"licenses:write"}),
    ("DELETE", "/v1/licenses/x", None, {"licenses:write"}),
    ("POST", "/v1/licenses:batch", {"items": [{"key": "x", **LICENSE}]}, {"licenses:write"}),
    ("POST", "/v1/license-assignments:batch", {"items": [{}]}, {"licenses:write"}),
    ("GET", "/v1/entitlements", None, {"licenses:read", "licenses:write"}),
    ("GET", "/v1/operations", None, {"operations:read"}),
    ("GET", f"/v1/operations/{OPERATION}", None, {"operations:read"}),
    ("GET", "/v1/events", None, {"operations:read"}),
    ("GET", "/v1/ops/tenants", None, {"tenants:admin"}),
    ("POST", "/v1/ops/tenants", {"key": "x", "org": "x", "name": "x"}, {"tenants:admin"}),
    ("GET", "/v1/ops/tokens", None, {"tenants:admin"}),
    ("POST", "/v1/ops/tokens", {"operator": True, "scopes": ["ops:read"]}, {"tenants:admin"}),
    ("DELETE", f"/v1/ops/tokens/{OPERATION}", None, {"tenants:admin"}),
    *[
        ("GET", f"/v1/ops/{path}", None, {"ops:read", "ops:write"})
        for path in (
            "overview",
            "overview/history",
            "overview/stream",
            "workers",
            "fulfilment/groups",
            "fulfilment/licenses",
            "fulfilment/waiting",
            "events",
        )
    ],
    ("GET", "/v1/ops/audit", None, {"ops:read", "ops:write"}),
    ("GET", "/v1/ops/operations", None, {"ops:read", "ops:write"}),
    ("GET", f"/v1/ops/operations/{OPERATION}", None, {"ops:read", "ops:write"}),
    ("GET", f"/v1/ops/operations/{OPERATION}/request", None, {"ops:read", "ops:write"}),
    ("POST", f"/v1/ops/operations/{OPERATION}:cancel", None, {"ops:write"}),
    ("GET", "/v1/ops/dead-letters", None, {"ops:read", "ops:write"}),
    ("GET", "/v1/ops/dead-letters/groups", None, {"ops:read", "ops:write"}),
    ("GET", "/v1/ops/unreadable", None, {"ops:read", "ops:write"}),
    ("POST", "/v1/ops/unreadable:discard", {"reason": "x"}, {"ops:write"}),
    ("POST", "/v1/ops/dead-letters:redrive", {"ids": [OPERATION]}, {"ops:write"}),
    ("POST", "/v1/ops/dead-letters:discard", {"ids": [OPERATION], "reason": "x"}, {"ops:write"}),
]

STREAMS = {"/v1/ops/overview/stream"}


async def counts(sql):
    tables = ("operation", "app_user", "user_group", "role", "group_assignment", "license", "tenant", "outbox")
    return {table: await sql.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


@pytest.fixture
async def tokens(api):
    async def header(scope):
        tenant_key = None if scope in OPERATOR_SCOPES else "acme"
        issued = await create_token(api.services.database, tenant_key=tenant_key, scopes=[scope])
        return {"Authorization": f"Api-Token {issued.token}"}

    return {scope: await header(scope) for scope in (*TENANT_SCOPES, *OPERATOR_SCOPES)}


def test_every_route_is_in_the_table():
    open_to_all = {"/healthz", "/readyz", "/metrics"}
    routes = [route for part in PARTS for route in part.router.routes if route.path not in open_to_all]
    declared = {(method, route.path) for route in routes for method in route.methods}
    templates = {(method, path) for method, path, _, _ in ROUTES}
    generic = {
        (method, path.replace("/x", "/{key}").replace(f"/operations/{OPERATION}", "/operations/{operation_id}")
         .replace(f"/tokens/{OPERATION}", "/tokens/{token_id}"))
        for method, path in templates
    }  # fmt: skip
    assert generic == declared


async def test_a_method_that_an_address_does_not_take_is_told_those_it_takes(api):
    declared = {}
    for method, path, _, _ in ROUTES:
        declared.setdefault(path, set()).update({method, "HEAD"} if method == "GET" else {method})
    # What stands before the colon and after it might be a key for all that an address can tell.
    declared["/v1/groups/x:reprocess"] |= declared["/v1/groups/x"]
    operation = f"/v1/ops/operations/{OPERATION}"
    declared[f"{operation}:cancel"] |= declared[operation]
    for path, methods in declared.items():
        response = await api.call("PATCH", path)
        assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert set(response.headers["Allow"].split(", ")) == methods, path


async def test_each_scope_opens_its_routes_and_no_other(api, tokens):
    for method, path, sent, opening in ROUTES:
        for scope, headers in tokens.items():
            if path in STREAMS and scope in opening:
                continue  # it would never end
            response = await api.call(method, path, sent, headers=headers)
            assert (response.status_code == 403) is (scope not in opening), (method, path, scope, response.text)
            if response.status_code == 403:
                assert response.json()["code"] == "FORBIDDEN"
                assert "Seatline-Operation" not in response.headers


async def test_without_good_credentials_nothing_opens_and_nothing_changes(api, sql):
    before = await counts(sql)
    revoked = await create_token(api.services.database, tenant_key="acme", scopes=TENANT_SCOPES)
    await revoke_token(api.services.database, revoked.id)
    expired = await create_token(
        api.services.database, tenant_key="acme", scopes=TENANT_SCOPES, expires_at=datetime.now(UTC) - timedelta(days=1)
    )
    bad = [
        "",
        "Api-Token",
        f"Api-Token {'0' * 64}",
        f"Bearer {revoked.token}",
        f"Api-Key {expired.token}",
        "Basic eDp5",
    ]
    for method, path, sent, _ in ROUTES:
        for authorization in bad:
            response = await api.call(method, path, sent, headers={"Authorization": authorization})
            assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
            assert "Bearer" in response.headers["WWW-Authenticate"]
            assert "Seatline-Operation" not in response.headers
    assert await counts(sql) == before


async def test_a_jwt_opens_what_its_scopes_say_for_its_tenant_alone(database_url, tmp_path):
    issuer = Issuer()
    (tmp_path / "jwks.json").write_bytes(issuer.jwks())
    configured = {"jwt_jwks": str(tmp_path / "jwks.json"), "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with serving(database_url, **configured) as api:
        await api.arrange(groups("g"))
        other = await api.other_tenant("stranger")

        async def status(path, method="GET", sent=None, **claims):
            headers = {"Authorization": f"Bearer {issuer.token('ec', **claims)}"}
            return (await api.call(method, path, sent, headers=headers)).status_code

        assert await status("/v1/groups/g") == 200
        assert await status("/v1/groups/g", tenant=other.tenant.key) == 404
        assert await status("/v1/groups/g", scope="licenses:read") == 403
        assert await status("/v1/groups/g", "PUT", {"name": "H"}, scope="groups:write") == 403
        assert await status("/v1/groups/g", "PUT", {"name": "H"}, scope=["directory:write"]) == 200
        assert await status("/v1/groups/g", tenant="nobody") == 401
        assert await status("/v1/groups/g", aud="another") == 401
        assert await status("/v1/groups/g", exp=1) == 401
        assert await status("/v1/ops/tenants", scope="tenants:admin") == 403


async def test_another_tenants_things_are_answered_as_things_that_never_existed(api):
    other = await api.other_tenant("stranger")
    await other.arrange(
        groups("theirs"), people("theirs", username="their-name", email="t@example.org"), roles("theirs")
    )
    await api.arrange(groups("ours"), people("ours"), roles("ours"))
    for owner, key in ((other, "theirs"), (api, "ours")):
        assert (await owner.call("PUT", f"/v1/licenses/{key}", LICENSE)).status_code == 201
    theirs = await other.call("PUT", "/v1/groups/theirs", {"name": "x"})
    operation = theirs.headers["Seatline-Operation"]

    def assign(**named):
        item = {"op": "assign", "group_id": "ours", "user_id": "ours", "role_id": "ours", **named}
        return ("POST", "/v1/group-assignments:batch", {"items": [item]})

    def give(**named):
        item = {"op": "assign", "license": "ours", "user": "ours", **named}
        return ("POST", "/v1/license-assignments:batch", {"items": [item]})

    positions = [
        ("GET", "/v1/users/{}", None),
        ("DELETE", "/v1/users/{}", None),
        ("GET", "/v1/groups/{}", None),
        ("DELETE", "/v1/groups/{}?cascade=true", None),
        ("GET", "/v1/roles/{}", None),
        ("DELETE", "/v1/roles/{}?cascade=true", None),
        ("GET", "/v1/users?group={}", None),
        ("GET", "/v1/users?username={}", None),
        ("GET", "/v1/group-assignments?group={}", None),
        ("GET", "/v1/group-assignments?user={}", None),
        ("PUT", "/v1/users/new", {"username": "new", "primary_group": "{}"}),
        ("POST", "/v1/users:batch", {"items": [{"key": "new", "username": "new", "primary_group": "{}"}]}),
        assign(group_id="{}"),
        assign(user_id="{}"),
        assign(role_id="{}"),
        assign(op="unassign", role_id="{}"),
        ("GET", "/v1/licenses/{}", None),
        ("DELETE", "/v1/licenses/{}?cascade=true", None),
        ("GET", "/v1/entitlements?user={}", None),
        ("GET", "/v1/entitlements?license={}", None),
        ("GET", "/v1/entitlements?group={}", None),
        give(license="{}"),
        give(user="{}"),
        give(op="unassign", license="{}"),
    ]
    for method, path, sent in positions:
        answers = []
        for key in ("theirs", "nobody"):
            filled = None if sent is None else json.loads(json.dumps(sent).replace("{}", key))
            response = await api.call(method, path.replace("{}", key), filled)
            text = response.text.replace(response.headers.get("Seatline-Operation", "-"), "").replace(key, "{}")
            answers.append((response.status_code, text))
        assert answers[0] == answers[1], (method, path)
    responses = [await api.call("GET", f"/v1/operations/{number}") for number in (operation, OPERATION)]
    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].json() == responses[1].json()
    # Names are unique in a tenant, not across: theirs can be had here.
    mine = {"username": "their-name", "email": "T@example.org"}
    assert (await api.call("PUT", "/v1/users/theirs", mine)).status_code == 201
    assert (await other.call("GET", "/v1/groups/theirs")).status_code == 200
    assert (await other.call("GET", "/v1/users?group=theirs")).json()["items"] == []


async def test_an_idempotency_key_belongs_to_its_tenant(api):
    other = await api.other_tenant("stranger")
    headers = {"Idempotency-Key": "shared"}
    first = await api.call("PUT", "/v1/groups/g", {"name": "G"}, headers=headers)
    second = await other.call("PUT", "/v1/groups/g", {"name": "Another"}, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in second.headers


DEEP = {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}  # eight levels and a number
BAD_USERS = [
    ({}, "username"),
    ({"username": None}, "username"),
    ({"username": 7}, "username"),
    ({"username": ""}, "username"),
    ({"username": " \t"}, "username"),
    ({"username": "x" * 256}, "username"),
    ({"username": "x", "email": "no address"}, "email"),
    ({"username": "x", "email": "a@b"}, "email"),
    ({"username": "x", "email": "a@b..org"}, "email"),
    ({"username": "x", "email": "a@-b.org"}, "email"),
    ({"username": "x", "email": "a b@c.org"}, "email"),
    ({"username": "x", "email": "Ann <a@b.org>"}, "email"),
    ({"username": "x", "email": f"{'a' * 65}@b.org"}, "email"),
    ({"username": "x", "email": f"a@{'b.' * 130}org"}, "email"),
    ({"username": "x", "email": ""}, "email"),
    ({"username": "x", "first_name": None}, "first_name"),
    ({"username": "x", "last_name": ["x"]}, "last_name"),
    ({"username": "x", "department": "x" * 256}, "department"),
    ({"username": "x", "active": "true"}, "active"),
    ({"username": "x", "active": 1}, "active"),
    ({"username": "x", "attributes": []}, "attributes"),
    ({"username": "x", "attributes": None}, "attributes"),
    ({"username": "x", "attributes": {"a": DEEP}}, "attributes"),
    ({"username": "x", "attributes": {"a": "ä" * 8192}}, "attributes"),
    ({"username": "x", "primary_group": "no key"}, "primary_group"),
    ({"username": "x", "primary_group": 7}, "primary_group"),
    ({"username": "x", "key": "other"}, "key"),
    ({"username": "x", "sunny": True}, "sunny"),
    ({"username": "x", "id": 7}, "id"),
    ([], ""),
    ("x", ""),
    (None, ""),
]
BAD_GROUPS = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"name": "x", "user_count": 1}, "user_count"),
]
TITLES = {"en": "X"}
BAD_ROLES = [
    ({"titles": TITLES}, "permission_scope"),
    ({"permission_scope": "X"}, "titles"),
    ({"permission_scope": "x", "titles": TITLES}, "permission_scope"),
    ({"permission_scope": "X Y", "titles": TITLES}, "permission_scope"),
    ({"permission_scope": "", "titles": TITLES}, "permission_scope"),
    ({"permission_scope": "X\n", "titles": TITLES}, "permission_scope"),
    ({"permission_scope": "X", "titles": {}}, "titles"),
    ({"permission_scope": "X", "titles": "X"}, "titles"),
    ({"permission_scope": "X", "titles": {"en": ""}}, "titles.en"),
    ({"permission_scope": "X", "titles": {"en": None}}, "titles.en"),
    ({"permission_scope": "X", "titles": {"": "X"}}, "titles"),
    ({"permission_scope": "X", "titles": {"en_GB": "X"}}, "titles"),
    ({"permission_scope": "X", "titles": {"en": "X", "EN": "X"}}, "titles"),
    ({"permission_scope": "X", "titles": {f"x{n:x<7}": "X" for n in "abcdefgh"} | {"e1": "X"}}, "titles"),
    ({"permission_scope": "X", "titles": TITLES, "descriptions": {"en": "x" * 4001}}, "descriptions.en"),
    ({"permission_scope": "X", "titles": TITLES, "descriptions": {"e": "x"}}, "descriptions"),
]


async def test_a_malformed_body_is_refused_by_the_field_and_changes_nothing(api, sql):
    before = await counts(sql)
    bodies = [("users", BAD_USERS), ("groups", BAD_GROUPS), ("roles", BAD_ROLES)]
    for kind, sent, field in [(kind, sent, field) for kind, cases in bodies for sent, field in cases]:
        response = await api.client.put(f"/v1/{kind}/x", content=json.dumps(sent), headers=api.headers)
        assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED"), (sent, response.text)
        assert response.json()["errors"][0]["field"] == field, sent
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "Seatline-Operation" not in response.headers
    assert await counts(sql) == before


async def test_limits_are_met_exactly(api):
    attributes = {"a": "x" * (16 * 1024 - len('{"a":""}'))}
    fields = {"username": "u" * 255, "department": "d" * 255, "attributes": attributes}
    assert (await api.call("PUT", f"/v1/users/{'k' * 128}", fields)).status_code == 201
    assert (await api.call("PUT", "/v1/users/deep", {"username": "deep", "attributes": DEEP})).status_code == 201
    email = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.org"
    assert (await api.call("PUT", "/v1/users/mail", {"username": "mail", "email": email})).status_code == 201
    assert (
        await api.call("PUT", "/v1/users/key@a.b_c+d-E", {"username": "x", "key": "key@a.b_c+d-E"})
    ).status_code == 201


RAW = [
    (b"", "VALIDATION_FAILED", 422),
    (b"{", "MALFORMED_JSON", 400),
    (b"\xff\xfe", "MALFORMED_JSON", 400),
    (b'{"name": "\xed\xa0\x80"}', "MALFORMED_JSON", 400),
    (b'{"name": "G"} {"name": "H"}', "MALFORMED_JSON", 400),
    (b"{'name': 'G'}", "MALFORMED_JSON", 400),
    (b'{"name": "\\u0000"}', "VALIDATION_FAILED", 422),
    (b'{"name": "\\ud800"}', "VALIDATION_FAILED", 422),
    (b'{"name": 1e999}', "VALIDATION_FAILED", 422),
    (b'{"name": NaN}', "VALIDATION_FAILED", 422),
    (b'{"name": "G", "name": "H"}', "VALIDATION_FAILED", 422),
    (b"[" * 100_000, "VALIDATION_FAILED", 422),
    (b'{"name": "' + b"x" * 1_048_576 + b'"}', "BODY_TOO_LARGE", 413),
]


async def test_what_is_no_json_or_could_not_be_stored_is_refused(api, sql):
    before = await counts(sql)
    for content, code, status in RAW:
        response = await api.client.put("/v1/groups/g", content=content, headers=api.headers)
        assert (response.status_code, response.json()["code"]) == (status, code), content[:40]
    typed = {**api.headers, "Content-Type": "text/plain"}
    response = await api.client.put("/v1/groups/g", content=b'{"name": "G"}', headers=typed)
    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert await counts(sql) == before


async def test_strange_text_is_stored_as_it_was_sent(api):
    for name in ("Ω≈ç√ 日本語 🏳️‍🌈", "a\u202eb", "e\u0301", "é", "a\u0085", "' OR 1=1 --", "%_\\", "<b>", "\x01\x7f"):
        stored = await api.call("PUT", "/v1/groups/strange", {"name": name})
        assert stored.json()["name"] == name
        assert (await api.call("GET", "/v1/groups/strange")).json()["name"] == name


async def test_an_item_that_cannot_be_stored_fails_alone(api):
    content = (
        b'{"items": [{"key": "a", "username": "a\\u0000"}, {"key": "b", "username": "b"}, {"key": "c\\ud800",'
        b' "username": "c"}, {"key": "d", "username": "d", "attributes": {"x": 1e999}}, {"key": "e", "username": "e",'
        b' "username": "f"}]}'
    )
    response = await api.client.post("/v1/users:batch", content=content, headers=api.headers)
    results = response.json()["items"]
    assert [(result["key"], result["status"]) for result in results] == [
        ("a", 422), ("b", 201), (None, 422), ("d", 422), ("e", 422),
    ]  # fmt: skip
    assert [result["error"]["field"] for result in results if "error" in result] == [
        "username", "key", "attributes.x", "username",
    ]  # fmt: skip


async def test_an_envelope_that_is_none_is_refused_as_a_whole(api, sql):
    before = await counts(sql)
    for kind in ("users", "groups", "roles", "group-assignments", "licenses", "license-assignments"):
        for sent, code in (
            ([], "VALIDATION_FAILED"),
            ({}, "VALIDATION_FAILED"),
            ({"items": {}}, "VALIDATION_FAILED"),
            ({"items": None}, "VALIDATION_FAILED"),
            ({"items": [{}], "dry_run": True}, "VALIDATION_FAILED"),
            ({"items": []}, "BATCH_EMPTY"),
            ({"items": [{}] * 1001}, "BATCH_TOO_LARGE"),
        ):
            response = await api.call("POST", f"/v1/{kind}:batch", sent)
            assert (response.status_code, response.json()["code"]) == (422, code)
    assert await counts(sql) == before


PARAMETERS = [
    ("GET", "/v1/users?limit=0", "limit"),
    ("GET", "/v1/users?limit=501", "limit"),
    ("GET", "/v1/users?limit=", "limit"),
    ("GET", "/v1/users?limit=1.0", "limit"),
    ("GET", "/v1/users?limit=1&limit=2", "limit"),
    ("GET", "/v1/users?active=yes", "active"),
    ("GET", "/v1/users?username=%00", "username"),
    ("GET", "/v1/users?cursor=", "cursor"),
    ("GET", "/v1/users?cursor=!", "cursor"),
    ("GET", "/v1/users?cursor=MQ%3D%3D", "cursor"),
    ("GET", "/v1/users?cursor=LTE", "cursor"),
    ("GET", "/v1/users?cursor=MS4y", "cursor"),
    ("GET", "/v1/users?cursor=OTIyMzM3MjAzNjg1NDc3NTgwOA", "cursor"),
    ("GET", "/v1/group-assignments?cursor=MQ", "cursor"),
    ("GET", "/v1/group-assignments?source=manual", "source"),
    ("GET", "/v1/operations?status=done", "status"),
    ("GET", "/v1/operations?status=", "status"),
    ("GET", "/v1/operations?kind=users", "kind"),
    ("GET", "/v1/operations?since=yesterday", "since"),
    ("POST", "/v1/users:batch?dry_run=1", "dry_run"),
    ("POST", "/v1/users:batch?dryrun=true", "dryrun"),
    ("PUT", "/v1/users/x?dry_run=true", "dry_run"),
    ("PUT", "/v1/users/no%20key", "key"),
    ("PUT", "/v1/users/%00", "key"),
    ("PUT", f"/v1/users/{'k' * 129}", "key"),
    ("DELETE", "/v1/users/x?cascade=true", "cascade"),
    ("DELETE", "/v1/groups/x?cascade=yes", "cascade"),
    ("GET", "/v1/licenses?kind=seat", "kind"),
    ("GET", "/v1/licenses?active=1", "active"),
    ("GET", "/v1/entitlements?state=parked", "state"),
    ("GET", "/v1/entitlements?state=active&state=waiting", "state"),
    ("GET", "/v1/entitlements?cursor=MQ", "cursor"),
    ("POST", "/v1/license-assignments:batch?shortage=lottery", "shortage"),
    ("PUT", "/v1/licenses/x?dry_run=true", "dry_run"),
    ("POST", "/v1/groups/x:reprocess?dry_run=true", "dry_run"),
]


async def test_a_parameter_that_is_unknown_or_out_of_range_is_refused_by_name(api, sql):
    before = await counts(sql)
    for method, path, field in PARAMETERS:
        sent = {"items": [{}]} if method == "POST" else {"username": "x"} if method == "PUT" else None
        response = await api.call(method, path, sent)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMETER"), (path, response.text)
        assert response.json()["errors"][0]["field"] == field, path
    assert await counts(sql) == before


async def test_a_key_that_is_none_is_one_that_never_existed(api):
    for key in ("no%20key", "%00", "k" * 129, "%F0%9F%8F%B3", "%ED%A0%80"):
        for kind, code in (("users", "USER"), ("groups", "USER_GROUP"), ("roles", "ROLE"), ("licenses", "LICENSE")):
            for method in ("GET", "DELETE"):
                response = await api.call(method, f"/v1/{kind}/{key}")
                assert (response.status_code, response.json()["code"]) == (404, f"{code}_DOES_NOT_EXIST")


async def test_a_read_lets_unknown_parameters_pass_and_a_delete_refuses_a_body(api):
    assert (await api.call("GET", "/v1/users?_=1700000000")).status_code == 200
    await api.arrange(groups("g"))
    response = await api.call("DELETE", "/v1/groups/g", {"cascade": True})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cascade")
    assert (await api.call("GET", "/v1/groups/g")).status_code == 200
