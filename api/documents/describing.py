"""What a route says about itself: parameters, bodies, answers and refusals, each with an example.

One rule: a described route is complete; the headers and refusals that all routes share are added here, once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from api.documents.bodies import ACCEPTED, Shown
from api.documents.headers import COMMON_REFUSALS, READ_HEADERS, WRITE_HEADERS, WRITE_REFUSALS
from api.documents.links import Link, documented
from api.errors.api_error import ApiError
from api.errors.families import Family
from api.http.parameters import QueryModel
from domain.errors import ErrorCode

DESCRIPTION = "x-seatline"
"""Where a route's description travels to the document: as JSON text, since FastAPI drops nulls from anything else."""

EVENT_STREAM = "text/event-stream"
_REFERENCES = "#/components/schemas/{model}"


def described(
    *,
    summary: str,
    family: Family,
    answers: Mapping[int, Shown],
    body: Shown | None = None,
    query: type[QueryModel] | None = None,
    refusals: Sequence[ErrorCode] = (),
    links: Sequence[Link] = (),
    headers: Sequence[Mapping[str, Any]] = (),
    stream: str = "",
    is_write: bool = False,
    is_open: bool = False,
    is_localised: bool = False,
) -> dict[str, Any]:
    """Keyword arguments for a route's decorator.

    Args:
        summary: one line.
        family: in which its refusals are written.
        answers: what it answers when all is well, by status; the first is its own.
        body: what it takes.
        query: the model that reads its parameters.
        refusals: its own codes, beside those that all routes share.
        links: where its own answers lead, beside the operation of a write and the next page of a list.
        headers: those of its requests that not all routes share.
        stream: an example of what it streams, as server-sent events.
        is_write: it makes an operation: adds Prefer, Idempotency-Key, the 202 and the refusals of acceptance.
        is_open: anybody may call it.
        is_localised: what it shows is in a language.
    """
    schemas: dict[str, Any] = {}
    shown = {202: ACCEPTED, **answers} if is_write else answers
    codes = [*refusals, *(() if is_open else COMMON_REFUSALS), *(WRITE_REFUSALS if is_write else ())]
    operation: dict[str, Any] = {
        "parameters": [*_parameters(query), *(WRITE_HEADERS if is_write else READ_HEADERS), *headers],
        # An answer that is all well (a probe's 503) is no refusal.
        "responses": dict(_refused(codes, family, schemas)) | dict(_answered(shown, schemas)),
    }
    for status in answers:
        _lead(operation["responses"][str(status)], links, stream)
    if is_open:
        operation["security"] = []
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _content(body, "application/json", schemas)}
    answered = {
        "is_write": is_write,
        "is_open": is_open,
        "is_localised": is_localised,
        "is_streamed": bool(stream),
    }
    description = {"operation": operation, "schemas": schemas, "answered": answered}
    return {
        "summary": summary,
        "status_code": next(iter(answers)),
        "openapi_extra": {DESCRIPTION: json.dumps(description)},
        "response_model": None,
    }


def _lead(answer: dict[str, Any], links: Sequence[Link], stream: str) -> None:
    if links:
        answer["links"] = documented(links)
    if stream:
        answer.setdefault("content", {})[EVENT_STREAM] = {"schema": {"type": "string"}, "example": stream}


def _answered(shown: Mapping[int, Shown], schemas: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((str(status), _answer(status, one, schemas)) for status, one in shown.items())


def _answer(status: int, shown: Shown, schemas: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": shown.description or HTTPStatus(status).phrase}
    if shown.model is not None:
        answer["content"] = _content(shown, "application/json", schemas)
    return answer


def _content(shown: Shown, media_type: str, schemas: dict[str, Any]) -> dict[str, Any]:
    if shown.model is None:
        return {}
    return {media_type: {"schema": _schema(shown.model, schemas), "example": shown.example}}


def _schema(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REFERENCES)
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": _REFERENCES.format(model=model.__name__)}


def _parameters(query: type[QueryModel] | None) -> Iterable[dict[str, Any]]:
    if query is None:
        return
    document = query.model_json_schema()
    definitions = document.get("$defs", {})
    for name, schema in document.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in document.get("required", ()),
            "description": schema.get("description", ""),
            "schema": _given({key: value for key, value in _inlined(schema, definitions).items() if key != "title"}),
        }


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """What a parameter looks like where it is there: null is only how a model says that it is not."""
    kinds = [one for one in schema.pop("anyOf", ()) if one.get("type") != "null"]
    if schema.get("default", ...) is None:
        del schema["default"]
    return {**schema, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Parameters carry their enumerations themselves."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(value, definitions) for value in schema]
    return schema


def _refused(
    codes: Iterable[ErrorCode], family: Family, schemas: dict[str, Any]
) -> Iterable[tuple[str, dict[str, Any]]]:
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(family.statuses[code], []).append(code)
    for status, ours in sorted(by_status.items()):
        _, example = family.render(ApiError(ours[0]), "en")
        shown = Shown(model=family.model, example=example)
        yield (
            str(int(status)),
            {
                "description": f"{HTTPStatus(status).phrase}: {', '.join(ours)}",
                "content": _content(shown, family.media_type, schemas),
            },
        )
