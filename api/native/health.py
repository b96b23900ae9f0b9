"""/healthz, /readyz, /metrics: for probes and scrapers, open to everybody.

One rule: readiness needs the database and not the broker, without which everything still works.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.documents.bodies import Shown
from api.documents.describing import described
from api.errors.families import NATIVE
from api.http.responses import json_response
from api.http.services import Services, services_of
from api.native.answers import Health
from infra.measures import exposition
from infra.postgres.reads.health import is_serving

router = APIRouter(tags=["health"])

# Shorter than a probe's usual patience, so that the answer is ours and not a cut connection.
_DATABASE_TIME = timedelta(seconds=2)
_RETRY_AFTER_SECONDS = 2


async def _services(request: Request) -> Services:
    return services_of(request.scope)


@router.get(
    "/healthz",
    **described(
        summary="Is the process alive",
        family=NATIVE,
        answers={200: Shown(model=Health, example={"status": "ok"})},
        is_open=True,
    ),
)
async def healthz() -> Response:
    """Whatever stands behind it."""
    return json_response({"status": "ok"})


@router.get(
    "/readyz",
    **described(
        summary="Can the process serve",
        family=NATIVE,
        answers={
            200: Shown(model=Health, example={"status": "ready", "database": True, "broker": True}),
            503: Shown(model=Health, example={"status": "unavailable", "database": False, "broker": True}),
        },
        is_open=True,
    ),
)
async def readyz(services: Annotated[Services, Depends(_services)]) -> Response:
    """`broker` is told, and does not decide."""
    serves = await is_serving(services.database, within=_DATABASE_TIME)
    body = {
        "status": "ready" if serves else "unavailable",
        "database": serves,
        "broker": services.broker is not None and services.broker.reachable,
    }
    if serves:
        return json_response({**body})
    return json_response({**body}, 503, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})


@router.get("/metrics", include_in_schema=False)
async def metrics(services: Annotated[Services, Depends(_services)]) -> Response:
    """In Prometheus' text format."""
    text = exposition.text_of(services.metrics.measures)
    return Response(text, headers={"Content-Type": exposition.CONTENT_TYPE})
