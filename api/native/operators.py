"""/v1/ops/tenants and /v1/ops/tokens: administration by operators.

One rule: it does what the command line does, by the same functions, and refuses the same things.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import link, shown
from api.errors.api_error import ApiError, invalid_field
from api.errors.families import NATIVE
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, operator_caller
from api.http.json_reading import Document
from api.http.parameters import NoQuery, query
from api.http.responses import json_response
from api.native import examples, leads, operator_schemas
from api.native.cursors import decode_cursor, decode_text_cursor, encode_text_cursor, no_cursor
from api.native.operator_schemas import TenantBody, TokenBody
from api.native.queries import ListQuery, TokensQuery
from domain.administration import (
    InvalidAdministrationError,
    TenantAlreadyExistsError,
    TenantDoesNotExistError,
    TokenDoesNotExistError,
    issued_document,
    tenant_document,
    token_document,
)
from domain.errors import ErrorCode
from infra.postgres import administration

router = APIRouter(tags=["operators"])

Administrator = Annotated[RequestContext, Depends(operator_caller("tenants:admin"))]
Plain = Annotated[NoQuery, Depends(query(NoQuery))]
Body = Annotated[Document, Depends(json_body)]


@router.get(
    "/v1/ops/tenants",
    **described(
        summary="List tenants",
        family=NATIVE,
        query=ListQuery,
        answers={200: Shown(model=operator_schemas.TenantPage, example=examples.page(examples.TENANT))},
        links=leads.to_tenant("items/0/key"),
    ),
)
async def list_tenants(context: Administrator, asked: Annotated[ListQuery, Depends(query(ListQuery))]) -> Response:
    """By key."""
    (after,) = decode_text_cursor(asked.cursor, first=("",))
    found = await administration.list_tenants(context.services.database, after=after, limit=asked.limit + 1)
    page = found[: asked.limit]
    place = (page[-1].key,) if len(found) > asked.limit else None
    items = [tenant_document(tenant) for tenant in page]
    return json_response({"items": [*items], "next_cursor": encode_text_cursor(place)})


@router.post(
    "/v1/ops/tenants",
    **described(
        summary="Create a tenant",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=TenantBody, example=examples.TENANT_FIELDS),
        answers={201: Shown(model=operator_schemas.Tenant, example=examples.TENANT)},
        refusals=[ErrorCode.TENANT_ALREADY_EXISTS, ErrorCode.VALIDATION_FAILED],
        links=leads.to_tenant("key"),
    ),
)
async def create_tenant(context: Administrator, _: Plain, document: Body) -> Response:
    """With its log and the role `member`."""
    body = read_model(TenantBody, document)
    with _refusing():
        tenant = await administration.create_tenant(
            context.services.database, key=body.key, org=body.org, name=body.name, actor=context.caller.actor
        )
    return json_response(tenant_document(tenant), 201)


@router.get(
    "/v1/ops/tokens",
    **described(
        summary="List tokens",
        family=NATIVE,
        query=TokensQuery,
        answers={200: Shown(model=operator_schemas.TokenPage, example=examples.page(examples.TOKEN))},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
    ),
)
async def list_tokens(context: Administrator, asked: Annotated[TokensQuery, Depends(query(TokensQuery))]) -> Response:
    """Without their secrets; revoked and expired ones included."""
    with _refusing():
        found = await administration.list_tokens(
            context.services.database,
            tenant_key=asked.tenant,
            operator=asked.operator,
            after=_token_place(asked.cursor),
            limit=asked.limit + 1,
        )
    page = found[: asked.limit]
    place = (str(page[-1].tenant_id), str(page[-1].id)) if len(found) > asked.limit else None
    items = [token_document(token) for token in page]
    return json_response({"items": [*items], "next_cursor": encode_text_cursor(place)})


@router.post(
    "/v1/ops/tokens",
    **described(
        summary="Issue a token",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=TokenBody, example=examples.TOKEN_FIELDS),
        answers={201: Shown(model=operator_schemas.IssuedToken, example=examples.ISSUED_TOKEN)},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST, ErrorCode.VALIDATION_FAILED],
        links=(link("revoke_token", token_id=shown("id")),),
    ),
)
async def create_token(context: Administrator, _: Plain, document: Body) -> Response:
    """The secret is shown this once."""
    body = read_model(TokenBody, document)
    if (body.tenant is None) is not body.operator:
        raise invalid_field("tenant", "required" if body.tenant is None else "must_be_null")
    with _refusing():
        issued = await administration.create_token(
            context.services.database,
            tenant_key=body.tenant,
            scopes=body.scopes,
            name=body.name,
            expires_at=_instant(body.expires_at),
            roles=body.roles,
            actor=context.caller.actor,
        )
    return json_response(issued_document(issued), 201)


@router.delete(
    "/v1/ops/tokens/{token_id}",
    **described(
        summary="Revoke a token",
        family=NATIVE,
        query=NoQuery,
        answers={200: Shown(model=operator_schemas.Token, example=examples.TOKEN)},
        refusals=[ErrorCode.TOKEN_DOES_NOT_EXIST],
    ),
)
async def revoke_token(
    context: Administrator, token_id: str, _: Plain, __: Annotated[None, Depends(no_body)]
) -> Response:
    """At once; a second call changes nothing."""
    try:
        wanted = UUID(token_id)
    except ValueError:
        raise ApiError(ErrorCode.TOKEN_DOES_NOT_EXIST) from None
    with _refusing():
        token = await administration.revoke_token(context.services.database, wanted, actor=context.caller.actor)
    return json_response(token_document(token))


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn the errors of administration into refusals."""
    try:
        yield
    except InvalidAdministrationError as error:
        raise invalid_field(error.field, "wrong_form") from None
    except TenantAlreadyExistsError:
        raise ApiError(ErrorCode.TENANT_ALREADY_EXISTS) from None
    except TenantDoesNotExistError:
        raise ApiError(ErrorCode.TENANT_DOES_NOT_EXIST) from None
    except TokenDoesNotExistError:
        raise ApiError(ErrorCode.TOKEN_DOES_NOT_EXIST) from None


def _token_place(cursor: str | None) -> tuple[int, UUID] | None:
    if cursor is None:
        return None
    tenant_id, token_id = decode_text_cursor(cursor, first=("", ""))
    try:
        (number,) = decode_cursor(encode_text_cursor((tenant_id,)), first=(0,))
        return number, UUID(token_id)
    except ValueError:
        raise no_cursor() from None


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid_field("expires_at", "wrong_form")
