"""Reads query parameters into a model: arrays repeated or comma-separated, everything else given once.

One rule: what cannot be read or is out of range is 400 in every family, never clamped and never guessed.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from api.errors.api_error import ApiError, FieldProblem, invalid_parameter
from api.errors.problems import dotted, problem_at
from api.http.json_reading import text_problem
from domain.errors import ErrorCode

LARGEST = 2**31 - 1
"""The largest whole number that a parameter may be: what a page's offset can be multiplied out of."""


class QueryModel(BaseModel):
    """The parameters of a request."""

    model_config = ConfigDict(frozen=True)


class ReadQuery(QueryModel):
    """The parameters of a read; what is not known passes unread."""

    model_config = ConfigDict(extra="ignore")


class WriteQuery(QueryModel):
    """The parameters of a write; what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


Query = TypeVar("Query", bound=QueryModel)


def _digits(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("not_integer", "digits only")
    if len(value) > len(str(LARGEST)) or int(value) > LARGEST:
        raise PydanticCustomError("too_large", "too large", {"limit": LARGEST})
    return int(value)


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise PydanticCustomError("not_boolean", "true or false only")
        return value == "true"
    return value


def _storable(value: str) -> str:
    problem = text_problem(value)
    if problem:
        raise PydanticCustomError(problem, "not storable")
    return value


Whole = Annotated[int, BeforeValidator(_digits)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, AfterValidator(_storable)]


def query(model: type[Query]) -> Callable[[Request], Awaitable[Query]]:
    """A dependency that reads the request's parameters as `model`; its list fields are the array parameters."""
    properties = model.model_json_schema().get("properties", {})
    arrays = frozenset(name for name, schema in properties.items() if "array" in _kinds(schema))

    async def read(request: Request) -> Query:  # not a plain function: FastAPI would give each call a thread
        return _read(model, arrays, request)

    return read


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types of a parameter, of which null is one where it may be absent."""
    return {one.get("type", "") for one in (schema, *schema.get("anyOf", ()))}


def _read(model: type[Query], arrays: frozenset[str], request: Request) -> Query:
    given: dict[str, Any] = {}
    for name, value in _pairs(request.scope["query_string"]):
        if name in arrays:
            given.setdefault(name, []).extend(value.split(","))
        elif name in given and name in model.model_fields:
            raise invalid_parameter(name, "repeated")
        else:
            given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ApiError(ErrorCode.INVALID_PARAMETER, problems=_problems(error)) from None


def _pairs(query_string: bytes) -> Iterator[tuple[str, str]]:
    """Names and values in the order sent; what is not UTF-8 is refused, where the framework would put U+FFFD."""
    for pair in filter(None, query_string.split(b"&")):
        name, _, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in pair.partition(b"="))
        try:
            yield name.decode(), value.decode()
        except UnicodeDecodeError:
            raise invalid_parameter(dotted([name.decode(errors="replace")]), "invalid") from None


def _problems(error: ValidationError) -> list[FieldProblem]:
    """One problem per parameter, by its name alone: the place inside an array parameter says nothing to a reader."""
    problems: dict[str, FieldProblem] = {}
    for item in error.errors(include_url=False, include_input=False):
        name = str(item["loc"][0])
        unknown = item["type"] == "extra_forbidden"
        kind = "unknown_parameter" if unknown else item["type"]
        problems.setdefault(name, problem_at(name, kind, item.get("ctx", {})))
    return list(problems.values())


class NoQuery(WriteQuery):
    """A write without parameters."""


def path_key(name: str, value: str) -> str:
    """A key out of the path, where it can be stored and compared.

    Raises:
        ApiError: INVALID_PARAMETER naming it.
    """
    problem = text_problem(value)
    if problem:
        raise invalid_parameter(name, problem)
    return value
