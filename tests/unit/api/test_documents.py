"""The OpenAPI document: every route with examples that fit their schemas, and a page without foreign requests."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from api.app import create_app
from api.documents import openapi
from api.documents.page import page
from infra.settings import Settings

METHODS = {"get", "put", "post", "delete"}


@pytest.fixture(scope="module")
def app():
    return create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))


@pytest.fixture(scope="module")
def document(app):
    return json.loads(json.dumps(app.openapi()))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


def test_every_route_of_the_users_api_is_documented(document):
    base = "/api/admin/users/v4/user-groups"
    assert {name for name, _ in operations(document) if base in name} == {
        f"POST {base}/assignments/batch",
        f"DELETE {base}/assignments/batch",
        f"GET {base}/{{group_id}}/assignable-roles",
        f"GET {base}/{{group_id}}/assignments",
        f"POST {base}/{{group_id}}/assignments",
        f"GET {base}/{{group_id}}/assignments/{{user_id}}/{{role_id}}",
        f"DELETE {base}/{{group_id}}/assignments/{{user_id}}/{{role_id}}",
    }


def test_every_route_of_the_account_api_is_documented(document):
    base = "/{organizationName}/lease_/api/account/{accountId}/user-license"
    assert {name for name, _ in operations(document) if "lease_" in name} == {
        f"GET {base}",
        f"PUT {base}",
        f"POST {base}",
        f"GET {base}/groups/with-quota",
        f"GET {base}/group/{{groupId}}",
        f"PUT {base}/group/{{groupId}}",
        f"POST {base}/group/{{groupId}}",
        f"DELETE {base}/group/{{groupId}}",
        f"GET {base}/group/{{groupId}}/with-quota",
        f"PUT {base}/group/{{groupId}}/with-quota",
        f"GET {base}/group/{{groupId}}/bulk-users",
    }


def test_every_route_of_the_catalogue_api_is_documented(document):
    base = "/api/catalog/licenses/program/"
    assert {name for name, _ in operations(document) if base in name} == {
        f"GET {base}",
        f"POST {base}create/",
        f"POST {base}update/",
        *(f"{method} {base}assignment/" for method in ("GET", "POST", "DELETE")),
        *(f"{method} {base}assignment/group/" for method in ("GET", "POST", "DELETE")),
    }


def test_every_route_says_what_it_does_and_shows_it(document):
    for name, operation in operations(document):
        assert operation["summary"], name
        assert all("example" in content for content in contents(operation)), name
        assert any(status.startswith("2") for status in operation["responses"]), name


def test_every_example_fits_its_schema(document):
    checked = 0
    for name, operation in operations(document):
        for content in contents(operation):
            if "schema" in content and "example" in content:
                schema = {**content["schema"], "components": document["components"]}
                try:
                    jsonschema.Draft202012Validator(schema).validate(content["example"])
                except jsonschema.ValidationError as error:
                    pytest.fail(f"{name}: {error.message}")
                checked += 1
    assert checked > 50


def test_every_example_of_a_parameter_fits_its_schema(document):
    for _, operation in operations(document):
        for parameter in operation["parameters"]:
            if "example" in parameter:
                jsonschema.Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_every_protected_route_documents_its_refusals(document):
    for name, operation in operations(document):
        if operation.get("security") != []:
            assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"]), name


def test_every_write_documents_the_202_and_its_headers(document):
    writes = [(name, one) for name, one in operations(document) if "202" in one["responses"]]
    assert len(writes) >= 4
    for name, operation in writes:
        assert {"Prefer", "Idempotency-Key"} <= {one["name"] for one in operation["parameters"]}, name
        assert {"413", "415", "422"} <= set(operation["responses"]), name


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_nothing_of_the_framework_s_own_shows(document):
    assert "HTTPValidationError" not in json.dumps(document)
    assert openapi.DESCRIPTION not in json.dumps(document)


def test_every_reference_leads_somewhere(document):
    known = set(document["components"]["schemas"])
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))) <= known


def test_two_models_of_one_name_are_noticed():
    one = type("Thing", (BaseModel,), {"__annotations__": {"a": int}}).model_json_schema()
    other = type("Thing", (BaseModel,), {"__annotations__": {"b": int}}).model_json_schema()
    with pytest.raises(ValueError, match="Thing"):
        openapi._merge({"Thing": one}, {"Thing": other})


def test_the_page_shows_every_route_and_asks_nobody_else(document):
    html = page(document)
    assert all(path in html for path in document["paths"])
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(|src=", html)
    assert "//" not in re.sub(r"<pre>.*?</pre>", "", html, flags=re.DOTALL)


def test_the_page_escapes_what_it_shows(document):
    evil = {"info": {"title": "<b>", "version": "1"}, "paths": {"/<x>": {"get": {"summary": "<script>"}}}}
    assert "<script>" not in page(evil)
    assert "<x>" not in page(evil)
