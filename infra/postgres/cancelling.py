"""The wish that a queued operation is not applied.

One rule: it is only a mark. The holder of the tenant's lock ends the operation, so that nothing races a pass.
"""

from infra.postgres.database import Transaction
from infra.postgres.reads.found_operations import Key
from infra.postgres.statements import load

_SQL = load("cancelling")


async def request_cancellation(tx: Transaction, operation: Key) -> bool:
    """Mark the operation; False where it is queued no longer."""
    tenant_id, operation_id = operation
    return bool(await tx.fetch(_SQL["request_cancellation"], tenant_id=tenant_id, id=operation_id))
