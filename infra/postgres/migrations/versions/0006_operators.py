"""Operators: dead letters by their errors, redriven and discarded; cancelled operations; who did what.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DEAD = sa.text("status = 'failed' AND discarded_at IS NULL")
# What failed before is grouped by its error as it stands; what fails from now on by its error without numbers.
_FINGERPRINT = """
UPDATE operation
   SET error_group = left(encode(sha256(convert_to(
           concat_ws(chr(10), error ->> 'code', kind, split_part(error ->> 'message', chr(10), 1)), 'UTF8')),
       'hex'), 16)
 WHERE status = 'failed'
"""
_GROUPS = """
INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count, first_seen, last_seen)
SELECT tenant_id, error_group, min(kind), coalesce(min(error ->> 'code'), 'INTERNAL_ERROR'),
       left(coalesce(min(split_part(error ->> 'message', chr(10), 1)), ''), 300),
       count(*), coalesce(min(finished_at), now()), coalesce(max(finished_at), now())
  FROM operation
 WHERE status = 'failed'
 GROUP BY tenant_id, error_group
"""
_NEW_COLUMNS = (
    ("first_sequence", sa.BigInteger()),
    ("last_sequence", sa.BigInteger()),
    ("error_group", sa.Text()),
    ("unfinished", sa.JSON()),
    ("discarded_at", sa.DateTime(timezone=True)),
    ("discard_reason", sa.Text()),
    ("cancel_requested_at", sa.DateTime(timezone=True)),
    ("history", sa.JSON()),
)
_NEW_INDEXES = (
    ("operation_dead_letter_idx", ["tenant_id", "discarded_at", "seq"]),
    ("operation_dead_letter_id_idx", ["id"]),
    ("operation_dead_letter_seq_idx", ["seq"]),
    ("operation_dead_letter_error_idx", ["tenant_id", "error_group", "seq"]),
    ("operation_dead_letter_error_seq_idx", ["error_group", "seq"]),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.create_table(
        "audit_entry",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_entry_pkey")),
    )
    op.create_index("audit_entry_id_idx", "audit_entry", ["id"], unique=False)
    op.create_table(
        "error_group",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("error_group_count_check")),
        sa.PrimaryKeyConstraint("tenant_id", "fingerprint", name=op.f("error_group_pkey")),
    )
    op.create_index("error_group_fingerprint_idx", "error_group", ["fingerprint", "tenant_id"], unique=False)
    for name, kind in _NEW_COLUMNS:
        op.add_column("operation", sa.Column(name, kind, nullable=True))
    op.execute(_FINGERPRINT)
    op.execute(_GROUPS)
    op.drop_index("operation_failed_idx", "operation")
    for name, columns in _NEW_INDEXES:
        op.create_index(name, "operation", columns, unique=False, postgresql_where=_DEAD)
    op.create_index(
        "operation_cancel_idx",
        "operation",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued' AND cancel_requested_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.drop_index("operation_cancel_idx", "operation")
    for name, _ in _NEW_INDEXES:
        op.drop_index(name, "operation")
    op.create_index(
        "operation_failed_idx",
        "operation",
        ["tenant_id", "seq"],
        unique=False,
        postgresql_where=sa.text("status = 'failed'"),
    )
    for name, _ in _NEW_COLUMNS:
        op.drop_column("operation", name)
    op.drop_table("error_group")
    op.drop_table("audit_entry")
