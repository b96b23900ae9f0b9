"""Every refusal of form and access of the catalogue API: it names what is wrong and makes no operation."""

import json

import pytest
import pytest_asyncio

from infra.local import databases
from infra.postgres.administration import create_token
from tests.support.api import serving, without_worker
from tests.support.refusals import refused as refused_by_form

# One application for the whole file: a refusal leaves nothing behind, which `refused` holds each time.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAM = "/api/catalog/licenses/program/"
USERS = f"{PROGRAM}assignment/"
GROUPS = f"{PROGRAM}assignment/group/"
USER = {"license_id": 1, "user_id": 2}
GROUP = {"license_id": 1, "group_id": 2}
LICENSE = {"program_key": "p", "name": "n", "count": 5, "started": "2026-01-01T00:00:00Z"}
READS = [(PROGRAM, {}), (USERS, {"license_id": "1"}), (GROUPS, {"license_id": "1"})]
POSTS = [
    (f"{PROGRAM}create/", LICENSE),
    (f"{PROGRAM}update/", {"license_id": 1, "count": 5}),
    (USERS, USER),
    (GROUPS, GROUP),
]
DELETES = [(USERS, {"assignment_id": "1"}), (GROUPS, {"assignment_id": "1"})]
CALLS = [
    *(("GET", path, {"params": params}) for path, params in READS),
    *(("POST", path, {"body": body}) for path, body in POSTS),
    *(("DELETE", path, {"params": params}) for path, params in DELETES),
]


@pytest.fixture(scope="module")
def shared_database_url(database_server_url):
    url = databases.create(database_server_url)
    yield url
    databases.drop(url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idle(shared_database_url):
    async with without_worker(shared_database_url) as api:
        yield api


async def refused(api, method, path, **options):
    return await refused_by_form(api, method, path, names=("error", "code", "details"), **options)


def fields(response):
    return [problem["field"] for problem in response.json()["details"]["errors"]]


@pytest.mark.parametrize(("method", "path", "request_of"), CALLS)
async def test_credentials_and_scope_come_first(idle, method, path, request_of):
    missing = await refused(idle, method, path, status=401, headers={"Authorization": ""}, **request_of)
    assert missing.json()["code"] == "UNAUTHENTICATED"
    assert "www-authenticate" in missing.headers
    scope = "groups:write" if method == "GET" else "licenses:read"
    for headers in (await idle.token(scope), await idle.token("directory:write", "operations:read")):
        forbidden = await refused(idle, method, path, status=403, headers=headers, **request_of)
        assert forbidden.json() == {
            "error": "The credentials do not allow this.",
            "code": "FORBIDDEN",
            "details": {},
        }
    operator = await create_token(idle.services.database, tenant_key=None, scopes=["ops:write"])
    headers = {"Authorization": f"Bearer {operator.token}"}
    await refused(idle, method, path, status=403, headers=headers, **request_of)


@pytest.mark.parametrize("scope", ["licenses:write", "PM.License.Write"])
async def test_either_name_of_the_scope_writes_and_reads(idle, scope):
    headers = await idle.token(scope)
    assert (await idle.call("POST", USERS, USER, headers=headers)).status_code == 202
    assert (await idle.call("GET", PROGRAM, headers=headers)).status_code == 200


@pytest.mark.parametrize("scope", ["licenses:read", "PM.License.Read"])
async def test_either_name_of_the_reading_scope_reads(idle, scope):
    assert (await idle.call("GET", PROGRAM, headers=await idle.token(scope))).status_code == 200


@pytest.mark.parametrize(("method", "path", "request_of"), CALLS)
async def test_another_platform_is_forbidden_known_or_not(idle, method, path, request_of):
    for name, values in (("platform_key", ("stranger", "acme-org", "", "\0")), ("platform_org", ("x-org", "acme"))):
        for value in values:
            params = {**request_of.get("params", {}), name: value}
            response = await refused(idle, method, path, status=403, **{**request_of, "params": params})
            assert response.json()["details"] == {"field": name}


@pytest.mark.parametrize(("path", "body"), POSTS)
async def test_another_platform_in_the_body_is_forbidden_too(idle, path, body):
    for said in ({"platform_key": "stranger"}, {"platform_key": "acme", "platform_org": "other"}):
        response = await refused(idle, "POST", path, status=403, body=body | said)
        assert response.json()["code"] == "FORBIDDEN"


@pytest.mark.parametrize(("method", "path", "request_of"), CALLS)
async def test_one_s_own_platform_may_be_said(idle, method, path, request_of):
    own = {"platform_key": "acme", "platform_org": "acme-org"}
    options = {**request_of, "params": {**request_of.get("params", {}), **own}}
    if "body" in options:
        options["body"] = options["body"] | own
    response = await idle.call(method, path, **options)
    assert response.status_code in {200, 202, 404}
    assert response.json().get("code") in {None, "LICENSE_DOES_NOT_EXIST"}


@pytest.mark.parametrize(
    ("path", "body", "params"),
    [
        (USERS, USER, {"license_id": "2"}),
        (USERS, USER, {"user_id": "3"}),
        (USERS, USER | {"email": "a@example.org"}, {"email": "b@example.org"}),
        (USERS, USER | {"active": True}, {"active": "false"}),
        (USERS, USER | {"fulfilled": False}, {"fulfilled": "true"}),
        (GROUPS, GROUP, {"license_id": "2"}),
        (GROUPS, GROUP, {"group_id": "1"}),
        (GROUPS, GROUP | {"active": False}, {"active": "true"}),
        (GROUPS, GROUP | {"fulfilled": True}, {"fulfilled": "false"}),
    ],
)
async def test_a_parameter_that_contradicts_the_body(idle, path, body, params):
    response = await refused(idle, "POST", path, body=body, params=params)
    assert response.json()["code"] == "INVALID_PARAMETER"
    assert fields(response) == list(params)


async def test_parameters_of_the_pages_may_stand_on_a_post(idle):
    paging = {"page": "2", "page_size": "100", "sort": "-created"}
    for path, body, params in (
        (USERS, USER, {"license_id": "1", "user_id": "2", "active": "true", "email": "a@b.org", "fulfilled": "false"}),
        (GROUPS, GROUP, {"license_id": "1", "group_id": "2", "active": "true", "fulfilled": "false"}),
    ):
        assert (await idle.call("POST", path, body, params=params | paging)).status_code == 202


@pytest.mark.parametrize("path", [USERS, GROUPS])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"), ("page", "-1"), ("page", "x"), ("page", "2147483648"), ("page_size", "0"), ("page_size", "101"),
        ("sort", "name"), ("sort", "ID"), ("sort", "id,created"), ("sort", ""), ("license_id", "x"),
        ("license_id", "-1"), ("license_id", "1.0"), ("license_id", str(2**63)),
        ("active", "1"), ("active", "True"), ("fulfilled", "no"),
    ],
)  # fmt: skip
async def test_parameters_that_cannot_be_read(idle, path, name, value):
    for method, options in (("GET", {}), ("POST", {"body": USER if path == USERS else GROUP})):
        params = {"license_id": "1"} | {name: value}
        response = await refused(idle, method, path, params=params, **options)
        assert response.json()["code"] == "INVALID_PARAMETER"
        assert fields(response) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("sort", "name"), ("page_size", "101"), ("verbose", "yes"), ("program_id", "x"), ("active", "0"),
     ("name", "\0"), ("query", "%ed%a0%80")],
)  # fmt: skip
async def test_parameters_of_the_list_of_licences_that_cannot_be_read(idle, name, value):
    path = f"{PROGRAM}?{name}={value}" if "%" in value else PROGRAM
    response = await refused(idle, "GET", path, **({} if "%" in value else {"params": {name: value}}))
    assert fields(response) == [name]


@pytest.mark.parametrize("path", [USERS, GROUPS])
async def test_a_list_is_of_a_licence(idle, path):
    response = await refused(idle, "GET", path)
    assert fields(response) == ["license_id"]


@pytest.mark.parametrize("path", [USERS, GROUPS])
async def test_a_deletion_names_what_ends(idle, path):
    for params, named in (
        ({}, "assignment_id"),
        ({"assignment_id": "x"}, "assignment_id"),
        ({"assignment_id": "1", "license_id": "1"}, "license_id"),
        ({"assignment_id": "1", "dry_run": "maybe"}, "dry_run"),
    ):
        response = await refused(idle, "DELETE", path, params=params)
        assert fields(response) == [named]
    response = await refused(idle, "DELETE", path, params={"assignment_id": "1"}, body={"reason": "left"})
    assert fields(response) == ["reason"]
    assert (await idle.call("DELETE", path, {}, params={"assignment_id": "1"})).status_code == 202


async def test_what_a_deletion_of_a_group_s_assignment_leaves_is_said_by_a_flag(idle):
    params = {"assignment_id": "1", "remove_user_assignments": "0"}
    assert fields(await refused(idle, "DELETE", GROUPS, params=params)) == ["remove_user_assignments"]
    params = {"assignment_id": "1", "remove_user_assignments": "false"}
    assert (await idle.call("DELETE", GROUPS, params=params)).status_code == 202


@pytest.mark.parametrize(("path", "body"), POSTS)
async def test_unknown_fields_and_parameters_of_a_write(idle, path, body):
    assert fields(await refused(idle, "POST", path, body=body | {"note": 1})) == ["note"]
    assert fields(await refused(idle, "POST", path, body=body, params={"cascade": "true"})) == ["cascade"]


@pytest.mark.parametrize(("path", "body"), POSTS)
async def test_bodies_that_are_none(idle, path, body):
    headers = {"Content-Type": "application/json"}
    for raw, code in ((b"{", "MALFORMED_JSON"), (b"", "VALIDATION_FAILED"), (b"[]", "VALIDATION_FAILED")):
        response = await refused(idle, "POST", path, content=raw, headers=headers)
        assert response.json()["code"] == code
    for flaw in (b'"\\u0000"', b'"\\ud800"', b"1e999"):
        raw = json.dumps(body)[:-1].encode() + b', "metadata": {"x": ' + flaw + b"}}"
        assert fields(await refused(idle, "POST", path, content=raw, headers=headers)) == ["metadata.x"]
    response = await refused(idle, "POST", path, status=415, content=b"{}", headers={"Content-Type": "text/plain"})
    assert response.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"
    huge = json.dumps(body | {"metadata": {"x": "y" * 1024 * 1024}}).encode()
    assert (await refused(idle, "POST", path, status=413, content=huge, headers=headers)).json()["code"] == (
        "BODY_TOO_LARGE"
    )


@pytest.mark.parametrize(("path", "body"), [(USERS, USER), (GROUPS, GROUP)])
async def test_redirects_lead_over_https_to_any_host(idle, path, body):
    for url in ("http://example.org/", "/start", "javascript:alert(1)", "https://a@example.org/", ""):
        response = await refused(idle, "POST", path, body=body | {"redirect_to": url})
        assert (response.json()["code"], fields(response)) == ("VALIDATION_FAILED", ["redirect_to"])
    for url in ("https://example.org/a?b", None):
        assert (await idle.call("POST", path, body | {"redirect_to": url})).status_code == 202


async def test_redirects_lead_to_the_hosts_that_are_configured(database_url):
    hosts = ("learn.example.org",)
    async with serving(database_url, with_worker=False, wait_seconds=0.1, redirect_hosts=hosts) as api:
        for path, body in ((USERS, USER), (GROUPS, GROUP)):
            for url in ("http://learn.example.org/", "https://LEARN.example.org/x"):
                assert (await api.call("POST", path, body | {"redirect_to": url})).status_code == 202
            for url in ("https://example.org/", "https://learn.example.org.evil.example/"):
                assert fields(await refused(api, "POST", path, body=body | {"redirect_to": url})) == ["redirect_to"]


async def test_metadata_is_limited(idle):
    deep = {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": 1}}}}}}}}}
    for path, body in POSTS:
        for metadata in (deep, {"x": "y" * 16 * 1024}, [], "x"):
            assert fields(await refused(idle, "POST", path, body=body | {"metadata": metadata})) == ["metadata"]


async def test_addresses_end_with_a_slash(idle):
    for path in (PROGRAM, USERS, GROUPS, f"{PROGRAM}create/", f"{PROGRAM}update/"):
        for method in ("GET", "POST", "DELETE"):
            response = await refused(idle, method, path.removesuffix("/"), status=404)
            assert response.json()["code"] == "NOT_FOUND"
    response = await refused(idle, "GET", "/api/catalog/licenses/course/", status=404)
    assert response.json()["code"] == "NOT_FOUND"


async def test_methods_that_an_address_does_not_take(idle):
    response = await refused(idle, "PUT", USERS, status=405)
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "DELETE, GET, HEAD, POST"


async def test_a_refusal_is_in_the_caller_s_language(idle):
    response = await refused(idle, "POST", USERS, body={}, headers={"Accept-Language": "de-CH"})
    assert response.headers["content-language"] == "de"
    assert "license_id" in response.json()["error"]
    assert fields(response) == ["license_id"]
