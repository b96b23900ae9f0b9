"""/v1/ops/audit: who did what, when."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.families import NATIVE
from api.http.parameters import query
from api.http.responses import json_response
from api.native.cursors import decode_cursor, encode_cursor
from api.native.examples import page
from api.native.ops import examples, schemas
from api.native.ops.access import Looking
from api.native.queries import AuditQuery
from infra.postgres.reads.audit import NEWEST, AuditFilter, page_of_audit

router = APIRouter(tags=["operators"])


@router.get(
    "/v1/ops/audit",
    **described(
        summary="Read the audit trail",
        family=NATIVE,
        query=AuditQuery,
        answers={200: Shown(model=schemas.AuditPage, example=page(examples.AUDIT_ENTRY))},
    ),
)
async def list_audit(context: Looking, asked: Annotated[AuditQuery, Depends(query(AuditQuery))]) -> Response:
    """Newest first."""
    (before,) = decode_cursor(asked.cursor, first=(NEWEST,))
    wanted = AuditFilter(
        actor=asked.actor,
        actions=[action.value for action in asked.action] or None,
        tenant=asked.tenant,
        since=asked.since,
    )
    page = await page_of_audit(context.services.database, wanted=wanted, before=before, limit=asked.limit)
    items = [record.document for record in page.items]
    return json_response({"items": [*items], "next_cursor": encode_cursor(page.next)})
