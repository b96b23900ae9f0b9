"""/v1/ops/unreadable: messages of the broker that no worker could read, looked at and thrown away."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.api_error import ApiError
from api.errors.families import NATIVE
from api.http.bodies import json_body, read_model
from api.http.json_reading import Document
from api.http.parameters import NoQuery, query
from api.http.responses import json_response
from api.native.ops import examples, schemas
from api.native.ops.access import Acting, Looking
from api.native.queries import UnreadableQuery
from domain.audit import Action, AuditEntry
from domain.errors import JSON, ErrorCode
from domain.outcomes import timestamp
from infra.postgres.audit import write_audit
from infra.rabbitmq.faults import BrokerLostError
from infra.rabbitmq.unreadable import UnreadableMessage
from infra.traces import trace

log = structlog.get_logger(__name__)

router = APIRouter(tags=["operators"])


@router.get(
    "/v1/ops/unreadable",
    **described(
        summary="Look at unreadable messages",
        family=NATIVE,
        query=UnreadableQuery,
        answers={200: Shown(model=schemas.UnreadableMessages, example=examples.UNREADABLE)},
    ),
)
async def look_at_unreadable(
    context: Looking, asked: Annotated[UnreadableQuery, Depends(query(UnreadableQuery))]
) -> Response:
    """The first ones; they stay where they are. Without a broker there are none."""
    broker = context.services.broker
    if broker is None:
        return json_response({"items": [], "total": 0, "broker": "none"})
    try:
        found = await broker.unreadable.peek(asked.limit)
    except Exception as error:  # noqa: BLE001 - whatever the broker has, a page that says so is the answer
        log.info("unreadable messages could not be looked at", error=trace(error))
        return json_response({"items": [], "total": None, "broker": "down"})
    items = [_shown(message) for message in found.items]
    return json_response({"items": [*items], "total": found.total, "broker": "up"})


@router.post(
    "/v1/ops/unreadable:discard",
    **described(
        summary="Throw unreadable messages away",
        family=NATIVE,
        query=NoQuery,
        body=Shown(model=schemas.UnreadableBody, example=examples.UNREADABLE_DISCARD),
        answers={200: Shown(model=schemas.UnreadableDiscarded, example=examples.UNREADABLE_DISCARDED)},
        refusals=[ErrorCode.VALIDATION_FAILED, ErrorCode.BROKER_UNAVAILABLE],
    ),
)
async def discard_unreadable(
    context: Acting,
    _: Annotated[NoQuery, Depends(query(NoQuery))],
    document: Annotated[Document, Depends(json_body)],
) -> Response:
    """The first ones, or all; the entry in the audit trail is written before they go."""
    body = read_model(schemas.UnreadableBody, document)
    broker = context.services.broker
    if broker is None:
        return json_response({"discarded": 0})

    async def record(count: int) -> None:
        details: dict[str, JSON] = {"reason": body.reason, "count": count}
        entry = AuditEntry(
            actor=context.caller.actor, action=Action.UNREADABLE_DISCARD, subject="unreadable", details=details
        )
        async with context.services.database.transaction() as tx:
            await write_audit(tx, entry)

    try:
        discarded = await broker.unreadable.discard(body.count, record)
    except (OSError, TimeoutError, BrokerLostError) as error:
        log.info("unreadable messages could not be thrown away", error=trace(error))
        raise ApiError(ErrorCode.BROKER_UNAVAILABLE, retry_after=2) from None
    return json_response({"discarded": discarded})


def _shown(message: UnreadableMessage) -> dict[str, JSON]:
    return {
        "position": message.position,
        "received_at": None if message.received_at is None else timestamp(message.received_at),
        "reason": message.reason,
        "headers": {**message.headers},
        "body": message.body,
        "encoding": "text" if message.is_text else "base64",
        "size": message.size,
    }
