"""/v1/ops/workers: who is there, and what each is doing."""

from fastapi import APIRouter
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.families import NATIVE
from api.http.parameters import NoQuery
from api.http.responses import json_response
from api.http.services import Services
from api.native import leads
from api.native.ops import room_examples, room_schemas
from api.native.ops.access import Looking
from domain.errors import JSON
from domain.outcomes import timestamp
from infra.postgres.reads.workers import WorkerRow, read_workers

router = APIRouter(tags=["operators"])


@router.get(
    "/v1/ops/workers",
    **described(
        summary="List workers",
        family=NATIVE,
        query=NoQuery,
        answers={200: Shown(model=room_schemas.WorkerList, example={"items": [room_examples.WORKER]})},
        links=leads.to_any_operation("items/0/doing/operations/0/id"),
    ),
)
async def list_workers(context: Looking) -> Response:
    """A worker is alive as long as the session that holds its lock is; its row stays until another has reaped it."""
    return json_response(await workers_document(context.services))


async def workers_document(services: Services) -> dict[str, JSON]:
    """All workers, in the order in which they came."""
    return {"items": [_worker(row) for row in await read_workers(services.database)]}


def _worker(row: WorkerRow) -> JSON:
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "started_at": timestamp(row.started_at),
        "seen_at": timestamp(row.seen_at),
        "alive": row.is_alive,
        "is_relay_leader": row.is_alive and row.leads_relay,
        "doing": {
            "operations": [{**operation} for operation in row.operations],
            "operation_count": row.operation_count,
            "chunk": None if row.chunk is None else {**row.chunk},
        },
    }
