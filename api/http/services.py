"""What the routes of one API process stand on, made once by api/app.py.

One rule: routes reach it through their request, never through a global.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from api.authentication import Authenticator
from api.errors.families import Family
from api.http.metrics import HttpMetrics
from api.http.operation import Forms
from api.http.rates import RequestRates
from api.intake import Intake
from infra.postgres.database import Database
from infra.postgres.fences import Fence
from infra.rabbitmq.broker import Broker
from infra.recording import Recorder
from infra.settings import Settings
from infra.tracing.work import Tracer

FamilyTable = Sequence[tuple[re.Pattern[str], Family]]
"""Which paths answer in which family; the first pattern that matches from the path's beginning wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one API process. Without a broker, work is found by polling.

    `database` sees every tenant: for credentials and operators. What a tenant reads comes through the `fence`.
    """

    settings: Settings
    database: Database
    acceptance: Database
    fence: Fence
    broker: Broker | None
    intake: Intake
    authenticator: Authenticator
    forms: Forms
    families: FamilyTable
    metrics: HttpMetrics
    recorder: Recorder
    rates: RequestRates
    tracer: Tracer | None = None

    def family_of(self, path: str) -> Family:
        """The family in which errors at this path are written."""
        return next(family for pattern, family in self.families if pattern.match(path))


def services_of(scope: Any) -> Services:
    """The services behind an ASGI scope."""
    return cast("Services", scope["app"].state.services)
