"""Builds the OpenAPI document out of the described routes.

One rule: it is built once per process, and it names nothing outside this service.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.documents import answer_headers
from api.documents.describing import DESCRIPTION
from api.documents.links import next_page, operation_link

_DESCRIPTION = """\
Gives licences and group roles to users, at scale, and tells everyone who needs to know.

Every accepted write is one operation, named by `Seatline-Operation`. The call waits for its result; with
`Prefer: respond-async`, or when the wait runs out, the answer is 202 and `Location` says where to look.
"""

_SECURITY_SCHEMES = {
    "ApiToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Api-Token <64 hex digits>`; `Api-Key` is accepted for the same token.",
    },
    "Bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same token, or a JWT with `iss`, `aud`, `exp`, `tenant` and `scope`.",
    },
}


_OPERATORS = "/v1/ops/"
# FastAPI promises its own 422 everywhere, which no route here gives.
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")


def install(app: FastAPI) -> None:
    """Make this the application's document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents


def build(app: FastAPI) -> dict[str, Any]:
    """The document of all routes that want to be in it.

    Raises:
        ValueError: two models of different shape have one name.
    """
    document = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for path, operations in document.get("paths", {}).items():
        for operation in operations.values():
            _describe(path, operation, schemas)
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    components["headers"] = answer_headers.components()
    components["securitySchemes"] = _SECURITY_SCHEMES
    document["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    return document


def _describe(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Put in what the route says about itself; of the framework's own only the parameters of the path stay."""
    described = json.loads(operation.pop(DESCRIPTION))
    _merge(schemas, described["schemas"])
    parameters = [*operation.get("parameters", ()), *described["operation"]["parameters"]]
    operation.update({**described["operation"], "parameters": parameters})
    is_operators = path.startswith(_OPERATORS)
    answered = answer_headers.Answered(is_operators=is_operators, **described["answered"])
    following = next_page(operation)
    for status, response in operation["responses"].items():
        response["headers"] = answered.headers(int(status), has_body="content" in response)
        if int(status) < HTTPStatus.BAD_REQUEST:
            if answered.is_write:
                response.setdefault("links", {})["operation"] = operation_link(is_operators=is_operators)
            if following is not None:
                response.setdefault("links", {})["next_page"] = following


def _merge(schemas: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, schema in more.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two models are called {name}")
