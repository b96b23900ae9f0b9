"""What must be so after every test that went through the engine: counts and rows agree."""

from infra.postgres.database import Database
from infra.postgres.verify import tenants_to_verify
from workers.recount import recount


async def assert_no_drift(database: Database) -> None:
    """Recount every tenant of the database."""
    for tenant in await tenants_to_verify(database):
        report = await recount(database, tenant)
        assert report.findings == [], report.document
