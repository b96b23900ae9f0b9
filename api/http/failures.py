"""What an exception means to a caller: one table from exceptions to refusals, and the response made of one.

One rule: nothing of an exception's own text goes out.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from api.acceptance import (
    AcceptanceUnknownError,
    DatabaseUnavailableError,
    RefusedByDatabaseError,
    TooManyOpenOperationsError,
)
from api.authentication import CHALLENGE, TooManyBadCredentialsError, UnauthenticatedError
from api.errors.api_error import ApiError, FieldProblem, invalid_field
from api.errors.languages import Languages
from api.errors.problems import dotted, problem_at
from api.http.responses import json_response
from api.http.services import services_of
from api.intake import IdempotencyKeyReusedError
from domain.errors import ErrorCode
from infra.postgres.faults import is_transient
from infra.traces import trace

log = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 2
_CODES = {
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}


def refusal_of(error: Exception) -> ApiError:
    """The refusal that answers this exception; one that nobody foresaw is logged and becomes INTERNAL_ERROR."""
    if isinstance(error, ApiError):
        return error
    make = next((make for kind, make in _REFUSALS.items() if isinstance(error, kind)), None)
    refusal = make(error) if make else None
    if refusal is not None:
        return refusal
    if is_transient(error):
        log.warning("the database did not serve a request", error=trace(error))
        return _database_unavailable(error)
    log.error("a request failed", error=trace(error))
    return ApiError(ErrorCode.INTERNAL_ERROR)


def error_response(scope: Any, error: ApiError) -> Response:
    """The refusal in the words and the shape that belong to the request's path and language."""
    language = Languages.accepted(Headers(scope=scope).get("accept-language")).spoken
    family = services_of(scope).family_of(scope["path"])
    status, body = family.render(error, language, scope.get("request_id"))
    headers = {"Content-Language": language, **error.headers}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return json_response(body, status, headers=headers, media_type=family.media_type)


def add_handlers(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Answer what the framework and the routes raise; what is left ends in the middleware, the same way."""
    routes = [context.original_route for router in routers for context in iter_route_contexts(router.routes)]

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:  # noqa: PLR2004 - the status itself
            error = HTTPException(405, headers={"Allow": _allowed(routes, request)})
        return error_response(request.scope, refusal_of(error))

    for kind in (ApiError, HTTPException, RequestValidationError, UnauthenticatedError, TooManyBadCredentialsError):
        app.add_exception_handler(kind, answer)


def _allowed(routes: Iterable[BaseRoute], request: Request) -> str:
    """Every method of this address; the framework names those of the first route alone."""
    methods: set[str] = set()
    for route in routes:
        matched, _ = route.matches(dict(request.scope))
        if matched is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    if "GET" in methods:  # the middleware answers it
        methods.add("HEAD")
    return ", ".join(sorted(methods))


def _invalid_parameters(error: Any) -> ApiError:
    """What FastAPI itself reads are parameters of the path; bodies and queries are read by our own functions."""
    problems = [problem_at(dotted(item["loc"][1:2]), item["type"], item.get("ctx", {})) for item in error.errors()] or [
        FieldProblem(field="", problem="invalid")
    ]
    return ApiError(ErrorCode.INVALID_PARAMETER, problems=problems)


def _http(error: Any) -> ApiError | None:
    code = _CODES.get(error.status_code)
    return None if code is None else ApiError(code, headers=error.headers or {})


def _acceptance_unknown(error: Any) -> ApiError:
    return ApiError(
        ErrorCode.ACCEPTANCE_UNKNOWN,
        retry_after=_RETRY_AFTER_SECONDS,
        operation_id=error.operation_id,
        headers={"Seatline-Operation": str(error.operation_id)},
    )


def _database_unavailable(_error: Any) -> ApiError:
    return ApiError(ErrorCode.DATABASE_UNAVAILABLE, retry_after=_RETRY_AFTER_SECONDS)


_REFUSALS: Mapping[type[Exception], Callable[[Any], ApiError | None]] = {
    UnauthenticatedError: lambda _: ApiError(ErrorCode.UNAUTHENTICATED, headers={"WWW-Authenticate": CHALLENGE}),
    TooManyBadCredentialsError: lambda error: ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=error.retry_after),
    IdempotencyKeyReusedError: lambda _: ApiError(ErrorCode.IDEMPOTENCY_KEY_REUSED),
    TooManyOpenOperationsError: lambda _: ApiError(
        ErrorCode.TOO_MANY_OPEN_OPERATIONS, retry_after=_RETRY_AFTER_SECONDS
    ),
    AcceptanceUnknownError: _acceptance_unknown,
    DatabaseUnavailableError: _database_unavailable,
    RefusedByDatabaseError: lambda _: invalid_field("", "invalid"),
    RequestValidationError: _invalid_parameters,
    HTTPException: _http,
    # It left before its body was whole; nobody reads the answer, but the log tells it from a fault of ours.
    ClientDisconnect: lambda _: ApiError(ErrorCode.MALFORMED_JSON),
}
