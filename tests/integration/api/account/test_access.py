"""Who may call the account API, at which address, and what does not exist for them."""

import pytest

ACCOUNT = "/acme-org/lease_/api/account/acme"
LICENSES = f"{ACCOUNT}/user-license"
BODY = {"userBundleCodes": ["IDU"]}
USERS_BODY = {"userIds": ["ada"], "userBundleCodes": ["IDU"]}
READS = ["", "/group/devs", "/group/devs/with-quota", "/group/devs/bulk-users", "/groups/with-quota"]
WRITES = [
    ("PUT", "/group/devs", BODY),
    ("POST", "/group/devs", BODY),
    ("DELETE", "/group/devs", None),
    ("PUT", "/group/devs/with-quota", BODY),
    ("PUT", "", USERS_BODY),
    ("POST", "", USERS_BODY),
]
CALLS = [("GET", path, None) for path in READS] + WRITES


async def test_credentials_and_scope_come_first(idle):
    reader, writer = await idle.token("licenses:read"), await idle.token("groups:write")
    for method, path, body in CALLS:
        for address in (f"{LICENSES}{path}", f"/other/lease_/api/account/other/user-license{path}"):
            missing = await idle.client.request(method, address, json=body)
            assert (missing.status_code, missing.json()["errorCode"]) == (401, "UNAUTHENTICATED")
            assert "WWW-Authenticate" in missing.headers
            forbidden = await idle.call(method, address, body, headers=writer if method == "GET" else reader)
            assert (forbidden.status_code, forbidden.json()["errorCode"]) == (403, "FORBIDDEN")


async def test_either_name_of_the_scope_reads(api, rows):
    await rows.pool("IDU")
    for scope in ("licenses:read", "licenses:write", "PM.License.Read", "PM.License.Write"):
        assert (await api.call("GET", LICENSES, headers=await api.token(scope))).status_code == 200


@pytest.mark.parametrize(
    "account",
    [
        "/acme-org/lease_/api/account/stranger",
        "/stranger-org/lease_/api/account/acme",
        "/stranger-org/lease_/api/account/stranger",
        "/acme/lease_/api/account/acme-org",
        "/Acme-org/lease_/api/account/acme",
        "/acme-org/lease_/api/account/never-existed",
        "/acme-org/lease_/api/account/%00",
    ],
)
async def test_another_organisation_or_account_does_not_exist(idle, account):
    await idle.other_tenant("stranger")
    for method, path, body in CALLS:
        for sent in (body, {"nonsense": True} if body else None):  # the address is looked at before the form
            response = await idle.call(method, f"{account}/user-license{path}", sent, headers={"X-Request-Id": "r1"})
            assert response.status_code == 404
            assert response.json() == {
                "errorCode": "ACCOUNT_DOES_NOT_EXIST",
                "message": "No account license is allocated for the indicated organization.",
                "traceId": "r1",
                "details": {},
            }
            assert "Seatline-Operation" not in response.headers


async def test_an_account_without_any_bundle_licence_does_not_exist(api, rows):
    await rows.pool(None, kind="program")
    for path in READS:
        for address in (f"{LICENSES}{path}", f"{LICENSES}{path.replace('devs', 'unknown')}"):
            response = await api.call("GET", address, headers={"Accept-Language": "de"})
            assert (response.status_code, response.json()["errorCode"]) == (404, "ACCOUNT_DOES_NOT_EXIST")
            assert response.headers["Content-Language"] == "de"


async def test_another_tenant_s_group_never_existed(api, rows):
    stranger = await api.other_tenant("stranger")
    await rows.of(stranger.tenant.id).pool("IDU")
    theirs = "/stranger-org/lease_/api/account/stranger/user-license"
    for path in (path for path in READS if "devs" in path):
        asked = await stranger.call("GET", f"{theirs}{path}", headers={"X-Request-Id": "r1"})
        never = await stranger.call("GET", f"{theirs}{path.replace('devs', 'never')}", headers={"X-Request-Id": "r1"})
        assert (never.status_code, never.json()["errorCode"]) == (404, "USER_GROUP_DOES_NOT_EXIST")
        assert never.json()["details"] == {"field": "groupId"}
        assert (asked.status_code, asked.text, set(asked.headers)) == (404, never.text, set(never.headers))


async def test_what_a_write_does_not_know_is_refused(idle):
    for method, path, body in WRITES:
        response = await idle.call(method, f"{LICENSES}{path}", body, params={"force": "true"})
        assert (response.status_code, response.json()["errorCode"]) == (400, "INVALID_PARAMETER")
        strange = await idle.call(method, f"{LICENSES}{path}", {**(body or {}), "force": True})
        assert (strange.status_code, strange.json()["errorCode"]) == (400, "VALIDATION_FAILED")
        assert [error["field"] for error in strange.json()["details"]["errors"]] == ["force"]
        assert "Seatline-Operation" not in strange.headers


async def test_a_write_needs_a_body_of_json(idle):
    for method, path, body in WRITES:
        if body is None:
            continue
        address, json_type = f"{LICENSES}{path}", {"Content-Type": "application/json"}
        missing = await idle.call(method, address)
        assert (missing.status_code, missing.json()["errorCode"]) == (400, "VALIDATION_FAILED")
        broken = await idle.call(method, address, content=b"{", headers=json_type)
        assert (broken.status_code, broken.json()["errorCode"]) == (400, "MALFORMED_JSON")
        text = await idle.call(method, address, content=b"x", headers={"Content-Type": "text/plain"})
        assert (text.status_code, text.json()["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_every_address_tells_its_methods(idle):
    for path, methods in (
        ("/user-license", "GET, HEAD, POST, PUT"),
        ("/user-license/group/devs", "DELETE, GET, HEAD, POST, PUT"),
        ("/user-license/group/devs/with-quota", "GET, HEAD, PUT"),
        ("/user-license/group/devs/bulk-users", "GET, HEAD"),
        ("/user-license/groups/with-quota", "GET, HEAD"),
        ("/group/devs/with-quota", "GET, HEAD, PUT"),
    ):
        response = await idle.call("PATCH", f"{ACCOUNT}{path}")
        assert (response.status_code, response.headers["Allow"]) == (405, methods)
        assert response.json()["errorCode"] == "METHOD_NOT_ALLOWED"


async def test_a_path_of_this_api_that_does_not_exist_is_refused_in_its_words(idle):
    response = await idle.call("GET", f"{ACCOUNT}/nothing", headers={"X-Request-Id": "r1"})
    assert response.status_code == 404
    assert (response.json()["errorCode"], response.json()["traceId"]) == ("NOT_FOUND", "r1")


async def test_a_group_that_cannot_be_stored_is_refused_by_name(idle):
    response = await idle.call("GET", f"{LICENSES}/group/a%00b")
    assert (response.status_code, response.json()["errorCode"]) == (400, "INVALID_PARAMETER")
    assert [error["field"] for error in response.json()["details"]["errors"]] == ["groupId"]
