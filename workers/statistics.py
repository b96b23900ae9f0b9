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
# Autovacuum passes over a table that is being analyzed: what fails here again and again must leave it the time.
_AGAIN_SECONDS = 60.0


class Statistics:
    """Runs in every worker; while one looks the others leave it."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            seconds = _ROUND_SECONDS
            try:
                await analyze_outgrown(self._database)
            except Exception as error:
                if not is_transient(error):
                    raise
                seconds = _AGAIN_SECONDS
                log.info("a table could not be analyzed", error=repr(error), again_in=seconds)
            await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
