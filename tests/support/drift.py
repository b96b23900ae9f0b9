"""What must be so after every test that went through the engine: counts and rows agree."""

from collections.abc import Collection

from domain.drift import Check
from infra.postgres.database import Database
from infra.postgres.verify import tenants_to_verify
from workers.recount import recount


async def assert_no_drift(database: Database, *, but: Collection[Check] = ()) -> None:
    """Recount every tenant of the database; findings of the checks in `but` are meant to be there."""
    for tenant in await tenants_to_verify(database):
        report = await recount(database, tenant)
        assert set(report.found) <= set(but), report.document
