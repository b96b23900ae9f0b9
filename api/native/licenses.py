"""/v1/licenses: licences with their seats, one by one, as a list, and by the thousand."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.json_reading import Document
from api.http.parameters import NoQuery, query
from api.http.responses import json_response
from api.native import answers, examples, leads, license_answers, license_examples
from api.native.cursors import decode_cursor, encode_cursor
from api.native.license_schemas import LicenseBatch, LicenseBody, LicenseItem
from api.native.license_translate import license_put
from api.native.license_views import license_body
from api.native.queries import BatchQuery, DeleteQuery, LicensesQuery
from api.native.translate import sent_key
from api.native.writing import batch, own_key, possible_key, write
from domain.errors import ErrorCode
from domain.license_commands import DeleteLicenses, PutLicenses
from infra.postgres.reads.licenses import LicenseFilter, find_license, page_of_licenses

router = APIRouter(tags=["licences"])

Reading = Annotated[RequestContext, Depends(tenant_caller("licenses:read"))]
Writing = Annotated[RequestContext, Depends(tenant_caller("licenses:write"))]
Plain = Annotated[NoQuery, Depends(query(NoQuery))]
Bodyless = Annotated[None, Depends(no_body)]


@router.get(
    "/v1/licenses",
    **described(
        summary="List licences",
        family=NATIVE,
        query=LicensesQuery,
        answers={
            200: Shown(model=license_answers.DirectoryLicensePage, example=examples.page(license_examples.LICENSE))
        },
        links=leads.to_license("items/0/key"),
    ),
)
async def list_licenses(context: Reading, asked: Annotated[LicensesQuery, Depends(query(LicensesQuery))]) -> Response:
    """In the order in which they were created."""
    (after,) = decode_cursor(asked.cursor, first=(0,))
    wanted = LicenseFilter(**asked.model_dump(exclude={"cursor", "limit"}))
    page = await page_of_licenses(context.database, context.tenant_id, wanted=wanted, after=after, limit=asked.limit)
    items = [license_body(row) for row in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})


@router.post(
    "/v1/licenses:batch",
    **described(
        summary="Create or replace up to 1,000 licences",
        family=NATIVE,
        query=BatchQuery,
        body=Shown(model=LicenseBatch, example=license_examples.LICENSE_BATCH),
        answers={200: Shown(model=answers.StoredItems, example=examples.STORED_ITEMS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=leads.with_license("items/0/key"),
    ),
)
async def put_licenses(
    context: Writing,
    asked: Annotated[BatchQuery, Depends(query(BatchQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """Items are decided in order, each for itself."""
    command = PutLicenses(items=batch(document, LicenseItem, lambda item: license_put(item.key, item), sent_key))
    return await write(context, command, form="native.licenses", body=document.value, dry_run=asked.dry_run)


@router.get(
    "/v1/licenses/{key}",
    **described(
        summary="Read a licence",
        family=NATIVE,
        answers={200: Shown(model=license_answers.DirectoryLicense, example=license_examples.LICENSE)},
        refusals=[ErrorCode.LICENSE_DOES_NOT_EXIST],
        links=leads.with_license("key"),
    ),
)
async def get_license(context: Reading, key: str) -> Response:
    """By the upstream's key."""
    possible = possible_key(key, ErrorCode.LICENSE_DOES_NOT_EXIST)
    row = await find_license(context.database, context.tenant_id, possible)
    if row is None:
        raise ApiError(ErrorCode.LICENSE_DOES_NOT_EXIST)
    return json_response(license_body(row))


@router.put(
    "/v1/licenses/{key}",
    **described(
        summary="Create or replace a licence",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=LicenseBody, example=license_examples.LICENSE_FIELDS),
        answers={
            201: Shown(
                model=license_answers.DirectoryLicense, example=license_examples.LICENSE, description="Created."
            ),
            200: Shown(
                model=license_answers.DirectoryLicense, example=license_examples.LICENSE, description="Replaced."
            ),
        },
        refusals=[ErrorCode.LICENSE_CODE_TAKEN, ErrorCode.LICENSE_KIND_IS_FIXED, ErrorCode.COUNT_BELOW_USAGE],
        is_write=True,
        links=leads.with_license("key"),
    ),
)
async def put_license(
    context: Writing, key: str, _: Plain, document: Annotated[Document, Depends(json_body)]
) -> Response:
    """What is omitted takes its default; seats that come free or are added go to those who wait, oldest first."""
    body = read_model(LicenseBody, document)
    item = license_put(own_key(key, body.key), body)
    return await write(context, PutLicenses(items=(item,)), form="native.license", body=document.value)


@router.delete(
    "/v1/licenses/{key}",
    **described(
        summary="Delete a licence",
        family=NATIVE,
        query=DeleteQuery,
        answers={204: Shown(model=None, description="Gone.")},
        refusals=[ErrorCode.LICENSE_DOES_NOT_EXIST, ErrorCode.LICENSE_IN_USE],
        is_write=True,
    ),
)
async def delete_license(
    context: Writing, key: str, asked: Annotated[DeleteQuery, Depends(query(DeleteQuery))], _: Bodyless
) -> Response:
    """A licence in use (somebody has it or waits for it, or a group has it) goes only with `cascade=true`."""
    possible = possible_key(key, ErrorCode.LICENSE_DOES_NOT_EXIST)
    return await write(context, DeleteLicenses(keys=(possible,), cascade=asked.cascade), form="native.deleted")
