"""Where the OpenAPI document leads, and the headers that it promises: of every answer, by references that hold."""

import json
import re

import jsonschema
import pytest

from api.app import create_app
from infra.settings import Settings
from tests.unit.api.test_documents import operations


@pytest.fixture(scope="module")
def document():
    app = create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))
    return json.loads(json.dumps(app.openapi()))


@pytest.fixture(scope="module")
def by_id(document):
    return {operation["operationId"]: operation for _, operation in operations(document)}


def links(operation):
    for status, response in operation["responses"].items():
        for name, link in response.get("links", {}).items():
            yield status, name, link


def test_every_link_leads_to_an_operation_with_parameters_that_it_has(document, by_id):
    targets = set()
    for name, operation in operations(document):
        for _, _, link in links(operation):
            target = by_id[link["operationId"]]
            assert set(link["parameters"]) <= {one["name"] for one in target["parameters"]}, name
            needed = {one["name"] for one in target["parameters"] if one["in"] == "path"}
            assert needed <= set(link["parameters"]), name
            targets.add(link["operationId"])
    assert {name for name in by_id if name.startswith("get_")} <= targets


def test_every_link_takes_from_where_something_is(document):
    """A pointer into the answer leads to something in the answer's own example, or to a list's end."""
    for name, operation in operations(document):
        own = {f"{one['in']}.{one['name']}" for one in operation["parameters"]}
        for status, _, link in links(operation):
            response = operation["responses"][status]
            for expression in link["parameters"].values():
                source, _, place = expression.partition("#/")
                if source == "$response.body":
                    example = response["content"]["application/json"]["example"]
                    assert reached(example, place.split("/")), f"{name} {status}: {expression}"
                elif source.startswith("$response.header."):
                    assert source.removeprefix("$response.header.") in response["headers"], name
                else:
                    assert source.removeprefix("$request.") in own, f"{name}: {expression}"


def reached(value, steps):
    """What an example does not have is null there, or is not shown by a list that has come to its end."""
    for step in steps:
        if value is None:
            return True
        if isinstance(value, list):
            if not value:
                return True
            value = value[int(step)]
        elif step in value:
            value = value[step]
        else:
            return False
    return True


def test_every_write_leads_to_its_operation(document):
    for name, operation in operations(document):
        if "Prefer" in {one["name"] for one in operation["parameters"]}:
            reader = "look_into_operation" if "/v1/ops/" in name else "get_operation"
            for status, response in operation["responses"].items():
                if int(status) < 400:
                    assert response["links"]["operation"]["operationId"] == reader, name


def test_every_list_leads_to_its_next_page_with_the_same_filters(document):
    for name, operation in operations(document):
        query = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        if "cursor" in query:
            following = operation["responses"]["200"]["links"]["next_page"]
            assert following["operationId"] == operation["operationId"], name
            assert set(following["parameters"]) == query, name


def test_every_answer_names_its_headers(document):
    headers = document["components"]["headers"]
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            for header, reference in response["headers"].items():
                shown = headers[reference["$ref"].rpartition("/")[2]]
                assert reference["$ref"].rpartition("/")[2].removesuffix("-sometimes") == header
                assert not (shown["required"] and reference["$ref"].endswith("-sometimes")), name
            always = {one for one, ref in response["headers"].items() if not ref["$ref"].endswith("-sometimes")}
            assert "X-Request-Id" in always, name
            if status in {"202", "429", "503"}:
                assert "Retry-After" in always, f"{name} {status}"
    for name, header in headers.items():
        jsonschema.Draft202012Validator(header["schema"]).validate(header["example"])
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
