"""/v1/license-assignments: licences given straight to people, by the thousand."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import invalid_parameter
from api.errors.families import NATIVE
from api.http.bodies import json_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.json_reading import Document
from api.http.parameters import query
from api.native import leads, license_answers, license_examples
from api.native.license_schemas import SeatBatch, SeatEnvelope, SeatItem
from api.native.license_translate import seat_change, sent_person
from api.native.queries import SeatsQuery
from api.native.writing import batch, write
from domain.errors import ErrorCode
from domain.license_commands import ChangeSeats, Shortage

router = APIRouter(tags=["licences"])

_BESIDE_ITEMS = tuple(SeatEnvelope.model_fields)


@router.post(
    "/v1/license-assignments:batch",
    **described(
        summary="Assign and unassign up to 1,000 licences",
        family=NATIVE,
        query=SeatsQuery,
        body=Shown(model=SeatBatch, example=license_examples.SEAT_BATCH),
        answers={200: Shown(model=license_answers.SeatResults, example=license_examples.SEAT_RESULTS)},
        refusals=[ErrorCode.BATCH_EMPTY, ErrorCode.BATCH_TOO_LARGE],
        is_write=True,
        links=(*leads.to_user("items/0/user"), *leads.to_license("items/0/license")),
    ),
)
async def change_license_assignments(
    context: Annotated[RequestContext, Depends(tenant_caller("licenses:write"))],
    asked: Annotated[SeatsQuery, Depends(query(SeatsQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """An item acts on the person's own assignment: what groups give is ended there."""
    items = batch(document, SeatItem, seat_change, sent_person, beside=_BESIDE_ITEMS)
    command = ChangeSeats(items=items, shortage=_shortage(asked, document))
    return await write(context, command, form="native.seats", body=document.value, dry_run=asked.dry_run)


def _shortage(asked: SeatsQuery, document: Document) -> Shortage:
    """What the body says, or else the parameter.

    Raises:
        ApiError: VALIDATION_FAILED; INVALID_PARAMETER, the two say different things.
    """
    beside = {name: document.value[name] for name in _BESIDE_ITEMS if name in document.value}
    sent = read_model(SeatEnvelope, Document(value=beside)).shortage
    if sent is None:
        return asked.shortage or Shortage.REJECT
    if asked.shortage not in {None, Shortage(sent)}:
        raise invalid_parameter("shortage", "contradicts")
    return Shortage(sent)
