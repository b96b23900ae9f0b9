"""Dead letters for engine tests: how operators' commands are written in few words, and what the tables count."""

from domain.dead_letters import DeadLetterFilter, DiscardDeadLetters, RedriveDeadLetters
from infra.postgres.statements import compile_block
from tests.support.bad_handlers import named
from tests.support.engine import Asked, accept, operations

_ERRORS = compile_block("errors", "SELECT * FROM error_group WHERE tenant_id = :tenant_id ORDER BY fingerprint")
_LOG = compile_block(
    "log",
    "SELECT id, seq, status, history, discarded_at, discard_reason, unfinished, first_sequence, last_sequence"
    " FROM operation WHERE tenant_id = :tenant_id ORDER BY seq",
)
_REQUEST = compile_block(
    "request",
    "UPDATE operation SET cancel_requested_at = now()"
    " WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS uuid[])) AND status = 'queued' RETURNING id",
)


def redriving(*ids, **matching):
    """Redrive these, or those that match."""
    return RedriveDeadLetters(ids=ids or None, matching=DeadLetterFilter(**matching))


def discarding(*ids, reason="no use", **matching):
    """Discard these, or those that match."""
    return DiscardDeadLetters(reason=reason, ids=ids or None, matching=DeadLetterFilter(**matching))


async def fail(engine, tenant, *names):
    """Groups of these names, each by an operation of its own; their ids."""
    ids = await accept(engine.database, [Asked(tenant_id=tenant.id, command=named(name)) for name in names])
    await engine.drain(tenant.id)
    return ids


async def errors_of(database, tenant):
    """The errors of the tenant's dead letters, as they are counted."""
    return [dict(row) for row in await database.fetch(_ERRORS, tenant_id=tenant.id)]


async def log_of(database, tenant):
    """The tenant's operations in the order of its log."""
    return [dict(row) for row in await database.fetch(_LOG, tenant_id=tenant.id)]


async def statuses(database, tenant, ids):
    """How these operations stand."""
    return [view.status.value for view in await operations(database, tenant.id, ids)]


async def request_cancellation(database, tenant, *ids):
    """Ask as the API does; those that were still queued, in no order."""
    return {row["id"] for row in await database.fetch(_REQUEST, tenant_id=tenant.id, ids=list(ids))}
