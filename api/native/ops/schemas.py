"""The bodies that operators send and are answered with, as models: what the OpenAPI document says of them.

One rule: as in api/native/answers.py, these describe; a test holds the examples against them.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.native.answers import Page


class TokenHolder(BaseModel):
    """Whoever holds an operator's token."""

    token_id: str
    name: str


class AuditEntry(BaseModel):
    """One thing that was done."""

    id: int
    at: str
    actor: TokenHolder | Literal["command line"]
    action: str
    tenant: str | None = Field(description="The tenant's key; null where it concerns the service.")
    subject: str
    details: dict[str, Any]


class AuditPage(Page):
    """Entries of the audit trail."""

    items: list[AuditEntry]
