"""The audit trail as it is written.

One rule: an entry is written in the transaction of what it records, so that neither is there without the other.
"""

import json

from domain.audit import AuditEntry
from infra.postgres.database import Transaction
from infra.postgres.statements import load

_NOBODY = 0
_SQL = load("audit")


async def write_audit(tx: Transaction, entry: AuditEntry) -> None:
    """Write the entry, to be committed with what it records."""
    await tx.execute(
        _SQL["insert_audit_entry"],
        tenant_id=entry.tenant_id or _NOBODY,
        token_id=entry.actor.token_id,
        actor=entry.actor.name,
        action=entry.action.value,
        subject=entry.subject,
        details=json.dumps(dict(entry.details), ensure_ascii=False),
    )
