"""Holds a tenant against the model of the engine, fed with the same commands in the order in which they were applied.

One rule: whatever has struck, the rows are those that the commands would have left one after the other, in peace.
"""

from collections.abc import Sequence
from typing import Any

from domain.codec import decode
from infra.postgres.database import Database
from infra.postgres.statements import compile_block
from tests.support.chunked_oracle import ChunkedOracle
from tests.support.engine import Asked

# The operations of a pass have its instant in common, and are applied in the order of acceptance; of two passes the one
# that was first told of its events first. What failed has changed nothing.
_APPLIED = compile_block(
    "applied",
    """
SELECT tenant_id, id, kind, request
  FROM (SELECT operation.*, min(first_sequence) OVER (PARTITION BY started_at) AS place_of_pass
          FROM operation
          JOIN tenant ON tenant.id = operation.tenant_id
         WHERE tenant.key = :tenant AND started_at IS NOT NULL) AS applied
 WHERE status <> 'failed'
 ORDER BY place_of_pass, seq
""",
)


async def disagreements(database_url: str, tenants: Sequence[str]) -> list[str]:
    """What the model says of each of these tenants that the rows do not."""
    database = Database(database_url, size=1)
    try:
        return [text for tenant in tenants if (text := await _disagreement(database, tenant))]
    finally:
        await database.close()


async def _disagreement(database: Database, tenant: str) -> str:
    rows: Sequence[Any] = await database.fetch(_APPLIED, tenant=tenant)
    if not rows:
        return ""
    tenant_id = rows[0]["tenant_id"]
    asked = [Asked(tenant_id=tenant_id, command=decode(row["kind"], row["request"])) for row in rows]
    try:
        await ChunkedOracle(database, tenant_id, interleaved=True).assert_agrees(asked, [row["id"] for row in rows])
    except AssertionError as error:
        return f"{tenant}: the model of the engine disagrees: {str(error)[:2_000]}"
    except Exception as error:  # noqa: BLE001 - a run's report must not be lost because one check of it is wrong
        return f"{tenant}: the model of the engine could not be asked: {error!r}"
    return ""
