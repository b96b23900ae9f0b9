"""/v1/ops/dead-letters: what failed, by its errors and one by one, redriven and discarded."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import link, shown
from api.errors.api_error import invalid_field
from api.errors.families import NATIVE
from api.http.bodies import json_body, read_model
from api.http.context import RequestContext
from api.http.json_reading import Document
from api.http.parameters import query
from api.http.preferences import idempotency_key
from api.http.responses import json_response
from api.native import leads
from api.native.cursors import decode_cursor, decode_text_cursor, encode_cursor, encode_text_cursor, no_cursor
from api.native.examples import page
from api.native.ops import examples, schemas
from api.native.ops.access import Acting, Looking
from api.native.ops.asking import tenant_number
from api.native.ops.dealing import Asked, count, deal
from api.native.ops.schemas import DiscardBody, FilterBody, RedriveBody
from api.native.ops.views import dead_letter, error_count
from api.native.queries import BatchQuery, DeadLettersQuery, ErrorsQuery
from domain.dead_letters import DeadLetterFilter
from domain.errors import ErrorCode
from infra.postgres.reads.dead_letters import FIRST_ERROR, NEWEST, page_of_dead_letters, page_of_errors

router = APIRouter(tags=["operators"])

Body = Annotated[Document, Depends(json_body)]
Meaning = Annotated[BatchQuery, Depends(query(BatchQuery))]

_GOES_ON = Shown(
    model=schemas.BeingDealtWith,
    example=examples.BEING_DEALT_WITH,
    description="Accepted: each operation tells how far it is.",
)


@router.get(
    "/v1/ops/dead-letters/groups",
    **described(
        summary="List the errors of dead letters",
        family=NATIVE,
        query=ErrorsQuery,
        answers={200: Shown(model=schemas.ErrorGroupPage, example=examples.ERROR_GROUP_PAGE)},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
        links=(
            link("list_dead_letters", fingerprint=shown("items/0/fingerprint")),
            *leads.to_any_operation("items/0/sample/operation_id"),
        ),
    ),
)
async def list_errors(context: Looking, asked: Annotated[ErrorsQuery, Depends(query(ErrorsQuery))]) -> Response:
    """Those that most dead letters have first; `total` is how many dead letters there are."""
    tenant_id = await tenant_number(context, asked.tenant)
    page = await page_of_errors(
        context.services.database, tenant_id=tenant_id, after=_error_place(asked.cursor), limit=asked.limit
    )
    items = [error_count(error) for error in page.items]
    place = None if page.next is None else (str(page.next[0]), page.next[1])
    return json_response({"items": [*items], "next_cursor": encode_text_cursor(place), "total": page.total})


@router.get(
    "/v1/ops/dead-letters",
    **described(
        summary="List dead letters",
        family=NATIVE,
        query=DeadLettersQuery,
        answers={200: Shown(model=schemas.DeadLetterPage, example=page(examples.DEAD_LETTER))},
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST],
        links=leads.to_any_operation("items/0/id"),
    ),
)
async def list_dead_letters(
    context: Looking, asked: Annotated[DeadLettersQuery, Depends(query(DeadLettersQuery))]
) -> Response:
    """Newest first; `since` and `until` bound when they failed."""
    (before,) = decode_cursor(asked.cursor, first=(NEWEST,))
    matching = DeadLetterFilter(
        fingerprint=asked.fingerprint, code=asked.code, kind=asked.kind, since=asked.since, until=asked.until
    )
    page = await page_of_dead_letters(
        context.services.database,
        tenant_id=await tenant_number(context, asked.tenant),
        matching=matching,
        before=before,
        limit=asked.limit,
    )
    items = [dead_letter(found) for found in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/ops/dead-letters:redrive",
    **described(
        summary="Redrive dead letters",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=RedriveBody, example=examples.REDRIVE),
        answers={
            200: Shown(model=schemas.Redriven, example=examples.REDRIVEN),
            202: _GOES_ON,
        },
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST, ErrorCode.DEAD_LETTERS_CHANGED],
        is_write=True,
        links=leads.to_any_operation("operations/0/id"),
    ),
)
async def redrive_dead_letters(context: Acting, meaning: Meaning, document: Body) -> Response:
    """Queued again under the same ids, at the end of their tenants' logs, as if they had just been sent."""
    body = read_model(RedriveBody, document)
    return await _deal(context, await _asked(context, body, reason=None), document, dry_run=meaning.dry_run)


@router.post(
    "/v1/ops/dead-letters:discard",
    **described(
        summary="Discard dead letters",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=DiscardBody, example=examples.DISCARD),
        answers={
            200: Shown(model=schemas.Discarded, example=examples.DISCARDED),
            202: _GOES_ON,
        },
        refusals=[ErrorCode.TENANT_DOES_NOT_EXIST, ErrorCode.DEAD_LETTERS_CHANGED],
        is_write=True,
        links=leads.to_any_operation("operations/0/id"),
    ),
)
async def discard_dead_letters(context: Acting, meaning: Meaning, document: Body) -> Response:
    """They stay failed, are no dead letters any more, and go when their retention ends."""
    body = read_model(DiscardBody, document)
    return await _deal(context, await _asked(context, body, reason=body.reason), document, dry_run=meaning.dry_run)


async def _deal(context: RequestContext, asked: Asked, document: Document, *, dry_run: bool) -> Response:
    if not dry_run:
        return await deal(context, asked, document.value)
    idempotency_key(context.request.headers)  # a bad one is refused, here as in every write
    parts = await count(context.services.database, asked)
    return json_response({"matched": sum(part.matched for part in parts)})


async def _asked(context: RequestContext, body: RedriveBody, *, reason: str | None) -> Asked:
    if (body.ids is None) is (body.filter is None):
        raise invalid_field("ids", "required" if body.ids is None else "must_be_null")
    named = body.filter or FilterBody()
    return Asked(
        ids=None if body.ids is None else tuple(_id(text, place) for place, text in enumerate(body.ids)),
        matching=DeadLetterFilter(
            fingerprint=named.fingerprint,
            code=named.code,
            kind=named.kind,
            since=_instant("filter.since", named.since),
            until=_instant("filter.until", named.until),
        ),
        tenant_id=await tenant_number(context, named.tenant),
        tenant=named.tenant,
        expected=body.expected,
        reason=reason,
    )


def _id(text: str, place: int) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid_field(f"ids.{place}", "wrong_form") from None


def _instant(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid_field(field, "wrong_form") from None


def _error_place(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return FIRST_ERROR
    number, fingerprint = decode_text_cursor(cursor, first=("", ""))
    if not number.isdigit() or int(number) > NEWEST:
        raise no_cursor()
    return int(number), fingerprint
