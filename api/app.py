"""Assembles the API process: its parts, its routes, and which paths answer in which family.

One rule: everything is named here, one line each; a door is added or taken away by its line and its folder.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from api.authentication import Authenticator
from api.console import routes as console
from api.dialects.account import routes as account
from api.dialects.catalog import routes as catalog
from api.dialects.user_groups import routes as user_groups
from api.documents import openapi
from api.documents import routes as documents
from api.errors import families
from api.forms import all_forms
from api.http.failures import add_handlers
from api.http.metrics import HttpMetrics
from api.http.middleware import RequestMiddleware
from api.http.rates import RequestRates
from api.http.services import FamilyTable, Services
from api.intake import Intake
from api.native import routes as native
from api.native.stopping import on_stop_signal
from infra import settings as configuration
from infra.measures import Measures
from infra.postgres.database import Database
from infra.postgres.fences import INTAKE, Fence
from infra.postgres.traced import TracedDatabase
from infra.rabbitmq.broker import Broker
from infra.recording import Recorder
from infra.settings import Settings
from infra.tracing.setup import close_tracer, tracer_of
from infra.tracing.work import Tracer
from infra.version import VERSION

# A caller is told 503 while it still listens; what the API reads and writes takes milliseconds.
DATABASE_PATIENCE = timedelta(seconds=10)
# One flush at a time, one reader of answers, and one for those whose wait has run out.
ACCEPTANCE_CONNECTIONS = 3

# FastAPI's own spans and logs, which an environment variable would switch on, carry paths and exceptions' texts.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

ROUTERS = (user_groups.router, catalog.router, account.router, native.router, documents.router, console.router)

FAMILIES: FamilyTable = (
    (re.compile(r"/api/admin/users/"), families.USERS),
    (re.compile(r"/api/catalog/"), families.CATALOG),
    (re.compile(r"/[^/]+/lease_/"), families.ACCOUNT),
    (re.compile(r""), families.NATIVE),
)


def create_app(settings: Settings | None = None, *, tracer: Tracer | None = None) -> FastAPI:
    """The application; nothing is connected before it starts. Without settings, those of the environment."""
    services = assemble(settings or configuration.load(), tracer=tracer)
    app = FastAPI(
        title="Seatline",
        version=VERSION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        telemetry=NO_TELEMETRY,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(
        RequestMiddleware,
        metrics=services.metrics,
        max_body_bytes=services.settings.max_body_bytes,
        tracer=services.tracer,
    )
    add_handlers(app, ROUTERS)
    openapi.install(app)
    return app


def assemble(settings: Settings, *, tracer: Tracer | None = None) -> Services:
    """The parts of the process, unconnected."""
    tracer = tracer or tracer_of(settings, service="seatline-api")
    database = (Database if tracer is None else TracedDatabase)(
        settings.database_url.get_secret_value(),
        name="seatline-api",
        size=settings.database_pool_size,
        patience=DATABASE_PATIENCE,
        measures=Measures("api"),
    )
    # Accepting has connections of its own: under a role that can do nothing else, and whatever readers are up to.
    acceptance = type(database)(
        settings.database_url.get_secret_value(),
        name="seatline-intake",
        size=ACCEPTANCE_CONNECTIONS,
        patience=DATABASE_PATIENCE,
        role=INTAKE,
        beside=database,
        plans_once=True,
    )
    broker = None
    if settings.amqp_url is not None:
        broker = Broker(
            url=settings.amqp_url.get_secret_value(), prefix=settings.name_prefix, connection_name="seatline-api"
        )
    return Services(
        settings=settings,
        database=database,
        acceptance=acceptance,
        fence=Fence(database),
        broker=broker,
        intake=Intake(database=acceptance, broker=broker, settings=settings, tracer=tracer),
        authenticator=Authenticator(database=database, settings=settings, tracer=tracer),
        forms=all_forms(),
        families=FAMILIES,
        metrics=HttpMetrics(database.measures),
        recorder=Recorder(database=database, broker_up=lambda: broker is not None and broker.reachable),
        rates=RequestRates(settings.rate_limit_per_minute),
        tracer=tracer,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    if services.broker is not None:
        await services.broker.start()
    await services.intake.start()
    recording = asyncio.create_task(services.recorder.run(), name="recorder")
    try:
        with on_stop_signal(services.intake.stop_soon):
            yield
    finally:
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)
        await services.intake.stop()
        if services.broker is not None:
            await services.broker.stop()
        await services.acceptance.close()
        await services.database.close()
        if services.tracer is not None:
            await close_tracer(services.tracer)
