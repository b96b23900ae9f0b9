"""Who asks, in which language, and by which request: what every route of every door is given.

One rule: a route names the scope it needs where it is declared; nothing is authorised later.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from fastapi import Request

from api.authentication import Caller
from api.errors.api_error import ApiError
from api.errors.languages import Languages
from api.http.services import Services, services_of
from domain.errors import ErrorCode
from infra.postgres.database import Reads
from infra.tracing.work import good_traceparent

AUTHENTICATED = "seatline.caller"
"""Where a scope carries the caller whom another part of this process has authenticated already. A client cannot set it:
what a client sends becomes a scope's path and headers, never its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """An authenticated request."""

    request: Request
    services: Services
    caller: Caller
    languages: Languages

    @property
    def tenant_id(self) -> int:
        """The caller's tenant.

        Raises:
            ApiError: FORBIDDEN; an operator has none.
        """
        if self.caller.tenant_id is None:
            raise ApiError(ErrorCode.FORBIDDEN)
        return self.caller.tenant_id

    @property
    def database(self) -> Reads:
        """Where the rows of the caller's tenant are read, and no others."""
        return self.services.fence.of_tenant(self.tenant_id)

    @property
    def request_id(self) -> str:
        """The id under which this request is logged."""
        return str(self.request.scope["request_id"])

    @property
    def traceparent(self) -> str | None:
        """What the operation stands below in its trace: this request's span, else the caller's where it sent one."""
        own: str | None = self.request.scope.get("traceparent")
        return own or good_traceparent(self.request.headers.get("traceparent"))


ContextOf = Callable[[Request], Awaitable[RequestContext]]


def tenant_caller(*scopes: str) -> ContextOf:
    """A dependency: the context of a tenant's caller who holds any of these scopes.

    Raises (when it runs): UnauthenticatedError; ApiError FORBIDDEN or TOO_MANY_REQUESTS.
    """

    async def authenticate(request: Request) -> RequestContext:
        context = await _context(request)
        if context.caller.is_operator or not context.caller.may(*scopes):
            raise ApiError(ErrorCode.FORBIDDEN)
        share = context.services.rates.count(context.tenant_id)
        if share is not None:
            request.scope["response_headers"].update(share.headers)
            if share.is_exceeded:
                raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=share.reset)
        return context

    return authenticate


def operator_caller(*scopes: str) -> ContextOf:
    """A dependency: the context of an operator who holds any of these scopes."""

    async def authenticate(request: Request) -> RequestContext:
        context = await _context(request)
        if not context.caller.is_operator or not context.caller.may(*scopes):
            raise ApiError(ErrorCode.FORBIDDEN)
        return context

    return authenticate


def client_of(request: Request) -> str:
    """The address that sent the request."""
    return request.client.host if request.client else ""


async def caller_of(request: Request) -> Caller:
    """Who sends the request, as of now.

    Raises:
        UnauthenticatedError: nobody who is known.
        TooManyBadCredentialsError: the same, once too often.
    """
    caller: Caller | None = request.scope.get(AUTHENTICATED)
    if caller is not None:
        return caller
    authenticator = services_of(request.scope).authenticator
    return await authenticator.authenticate(request.headers.get("authorization"), client_of(request))


async def _context(request: Request) -> RequestContext:
    services = services_of(request.scope)
    caller = await caller_of(request)
    if caller.tenant_id is not None:
        structlog.contextvars.bind_contextvars(tenant_id=caller.tenant_id)
    return RequestContext(
        request=request,
        services=services,
        caller=caller,
        languages=Languages.accepted(request.headers.get("accept-language")),
    )
