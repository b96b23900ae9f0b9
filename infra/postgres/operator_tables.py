"""The tables that operators read: what they have done, and the dead letters of each tenant by their errors.

One rule: as in tables.py, every key starts with tenant_id; an entry about no tenant has that of the operators.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Uuid,
    text,
)

from infra.postgres.columns import count_column, instant_column, metadata, tenant_id_column, text_column

audit_entry = Table(
    "audit_entry",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    instant_column("at", filled=True),
    # Null: the command line, which needs no token.
    Column("token_id", Uuid),
    text_column("actor", ""),
    text_column("action"),
    text_column("subject"),
    Column("details", JSON, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("audit_entry_id_idx", "id"),
)

error_group = Table(
    "error_group",
    metadata,
    tenant_id_column(),
    text_column("fingerprint"),
    text_column("kind"),
    text_column("code"),
    text_column("message"),
    count_column("count"),
    instant_column("first_seen", filled=True),
    instant_column("last_seen", filled=True),
    PrimaryKeyConstraint("tenant_id", "fingerprint"),
    CheckConstraint("count > 0", name="count"),
    Index("error_group_fingerprint_idx", "fingerprint", "tenant_id"),
)
