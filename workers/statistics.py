"""Lets Postgres look at tables again that have outgrown what it knows of them.

One rule: only size counts, never how often rows change, so a table is looked at a few times in its life.
"""

import asyncio
import random

import structlog

from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.statistics import analyze_outgrown

log = structlog.get_logger(__name__)

_ROUND_SECONDS = 2.0


class Statistics:
    """Runs in every worker; while one looks the others leave it."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            try:
                await analyze_outgrown(self._database)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.info("the statistics could not be looked at", error=repr(error))
            await asyncio.sleep(_ROUND_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
