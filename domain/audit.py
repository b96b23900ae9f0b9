"""Who did what, when: the entries that operators leave behind.

One rule: an entry names ids, keys and counts, never a secret and never the content of a request.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from uuid import UUID

from domain.errors import JSON
from domain.outcomes import timestamp


@unique
class Action(StrEnum):
    """What is recorded."""

    TENANT_CREATED = "tenant.created"
    TOKEN_CREATED = "token.created"  # noqa: S105 - what was done, not a secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - as above
    REQUEST_READ = "operation.request_read"
    CANCEL = "operation.cancel"
    REDRIVE = "dead_letters.redrive"
    DISCARD = "dead_letters.discard"
    UNREADABLE_DISCARD = "unreadable.discard"
    SIGNED_IN = "console.signed_in"
    SIGNED_OUT = "console.signed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: the holder of a token, or (without one) the command line at the database itself."""

    token_id: UUID | None = None
    name: str = ""

    @property
    def document(self) -> JSON:
        """As it is shown."""
        if self.token_id is None:
            return "command line"
        return {"token_id": str(self.token_id), "name": self.name}


COMMAND_LINE = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done. `subject` is what it was done to; without a tenant it concerns the service."""

    actor: Actor
    action: Action
    subject: str
    tenant_id: int | None = None
    details: Mapping[str, JSON] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry as it is read back; `tenant` is a key."""

    id: int
    at: datetime
    actor: Actor
    action: str
    tenant: str | None
    subject: str
    details: Mapping[str, JSON]

    @property
    def document(self) -> dict[str, JSON]:
        """As it is shown."""
        return {
            "id": self.id,
            "at": timestamp(self.at),
            "actor": self.actor.document,
            "action": self.action,
            "tenant": self.tenant,
            "subject": self.subject,
            "details": dict(self.details),
        }
