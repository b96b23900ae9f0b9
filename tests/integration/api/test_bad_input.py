"""Every refusal of form and access: it names what is wrong, changes nothing and makes no operation."""

import json

import pytest
import pytest_asyncio

from infra.local import databases
from tests.support.api import without_worker
from tests.support.refusals import refused

# One application for the whole file: a refusal leaves nothing behind, which `refused` holds each time.
pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUPS = "/api/admin/users/v4/user-groups"
CREATE = f"{GROUPS}/sales/assignments"
BATCH = f"{GROUPS}/assignments/batch"
JSON = {"Content-Type": "application/json"}
GOOD = {"user_id": "ada", "role_id": "trainer"}


@pytest.fixture(scope="module")
def shared_database_url(database_server_url):
    url = databases.create(database_server_url)
    yield url
    databases.drop(url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idle(shared_database_url):
    async with without_worker(shared_database_url) as api:
        yield api


def fields(response):
    return [problem["field"] for problem in response.json()["details"]["errors"]]


@pytest.mark.parametrize("raw", [b"{", b"[1,", b"\xff\xfe", b"nonsense", b"{'a': 1}", b'{"a": 1} x'])
async def test_malformed_json(idle, raw):
    for method, path in (("POST", CREATE), ("POST", BATCH), ("DELETE", BATCH)):
        response = await refused(idle, method, path, content=raw, headers=JSON)
        assert response.json()["code"] == "MALFORMED_JSON"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", [""]),
        (b"[]", [""]),
        (b"null", [""]),
        (b"{}", ["role_id", "user_id"]),
        (b'{"role_id": "r"}', ["user_id"]),
        (b'{"role_id": "r", "user_id": 5}', ["user_id"]),
        (b'{"role_id": "r", "user_id": null}', ["user_id"]),
        (b'{"role_id": "r", "user_id": ""}', ["user_id"]),
        (b'{"role_id": "r", "user_id": ["u"]}', ["user_id"]),
        (b'{"role_id": "r", "user_id": "u", "group_id": "g"}', ["group_id"]),
        (b'{"role_id": "r", "user_id": "u\\u0000"}', ["user_id"]),
        (b'{"role_id": "r", "user_id": "\\ud800"}', ["user_id"]),
        (b'{"role_id": "r", "user_id": 1e999}', ["user_id"]),
        (b'{"role_id": "r", "user_id": "u", "user_id": "v"}', ["user_id"]),
        (b"[" * 10_000, [""]),
    ],
)
async def test_wrong_bodies_of_a_single_call(idle, body, named):
    response = await refused(idle, "POST", CREATE, content=body, headers=JSON)
    assert response.json()["code"] == "VALIDATION_FAILED"
    assert fields(response) == named


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, "VALIDATION_FAILED", ["items"]),
        ([], "VALIDATION_FAILED", [""]),
        ({"items": {}}, "VALIDATION_FAILED", ["items"]),
        ({"items": None}, "VALIDATION_FAILED", ["items"]),
        ({"items": [1], "more": 1, "shortage": "x"}, "VALIDATION_FAILED", ["more", "shortage"]),
        ({"items": []}, "BATCH_EMPTY", None),
        ({"items": [{}] * 101}, "BATCH_TOO_LARGE", None),
    ],
)
async def test_wrong_envelopes_of_a_batch(idle, body, code, named):
    for method in ("POST", "DELETE"):
        response = await refused(idle, method, BATCH, content=json.dumps(body), headers=JSON)
        assert response.json()["code"] == code
        assert named is None or fields(response) == named


async def test_huge_bodies(idle):
    huge = b'{"items": ["' + b"x" * 1024 * 1024 + b'"]}'

    async def chunks():
        for start in range(0, len(huge), 65_536):
            yield huge[start : start + 65_536]

    for content in (huge, chunks()):
        response = await refused(idle, "POST", BATCH, status=413, content=content, headers=JSON)
        assert response.json()["code"] == "BODY_TOO_LARGE"
        assert response.json()["details"]["limit"] == 1024 * 1024


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "",
        "json",
        "multipart/form-data",
    ],
)
async def test_other_media_types(idle, content_type):
    response = await refused(
        idle, "POST", CREATE, status=415, content=json.dumps(GOOD), headers={"Content-Type": content_type}
    )
    assert response.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "application/merge-patch+json"])
async def test_json_by_any_of_its_names(idle, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await idle.call("POST", CREATE, content=json.dumps(GOOD).encode(), headers=headers)
    assert response.status_code == 202


async def test_unknown_parameters_of_a_write(idle):
    for method, path, body in (
        ("POST", CREATE, GOOD),
        ("DELETE", f"{CREATE}/ada/trainer", None),
        ("POST", BATCH, {"items": [{}]}),
        ("DELETE", BATCH, {"items": [{}]}),
    ):
        response = await refused(idle, method, path, body=body, params={"cascade": "true"})
        assert response.json()["code"] == "INVALID_PARAMETER"
        assert fields(response) == ["cascade"]


@pytest.mark.parametrize("params", [{"embed": "ROLE"}, {"dry_run": "maybe"}, {"dry_run": ["true", "false"]}])
async def test_wrong_parameters_of_a_batch(idle, params):
    response = await refused(idle, "POST", BATCH, body={"items": [{}]}, params=params)
    assert fields(response) == list(params)


async def test_a_body_where_none_belongs(idle):
    response = await refused(idle, "DELETE", f"{CREATE}/ada/trainer", body={"reason": "left"})
    assert fields(response) == ["reason"]
    assert (await idle.call("DELETE", f"{CREATE}/ada/trainer", {})).status_code == 202


async def test_ids_in_the_path_that_cannot_be_kept(idle):
    for path in ("%00/assignments/ada/trainer", "sales/assignments/%00/trainer", "sales/assignments/ada/%00"):
        for method in ("GET", "DELETE"):
            response = await refused(idle, method, f"{GROUPS}/{path}")
            assert response.json()["code"] == "INVALID_PARAMETER"
    for path in ("%FF%FE", "a%20b", "%E2%80%AE", "x" * 2_000, "..%5C", "%F0%9F%98%80"):
        response = await idle.call("GET", f"{GROUPS}/{path}/assignments")
        assert (response.status_code, response.json()["code"]) == (404, "USER_GROUP_DOES_NOT_EXIST")


async def test_addresses_and_methods_that_do_not_exist(idle):
    for path in (
        f"{GROUPS}/sales",
        f"{GROUPS}/sales/assignments/",
        f"{GROUPS}/a%2Fb/assignments",
        f"{GROUPS}//assignments",
    ):
        response = await refused(idle, "GET", path, status=404)
        assert response.json()["code"] == "NOT_FOUND"
    response = await refused(idle, "PUT", CREATE, status=405)
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "GET, HEAD, POST"
    native = await idle.call("GET", "/v1/nothing", headers={"Accept-Language": "fr"})
    assert native.headers["content-type"] == "application/problem+json"
    assert (native.json()["code"], native.headers["content-language"]) == ("NOT_FOUND", "fr")
