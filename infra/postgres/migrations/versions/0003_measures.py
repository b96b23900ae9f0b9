"""Measures of processes and samples of the installation; what a worker is at; the newest messages of all tenants.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.create_table(
        "process_measure",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("applied", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("events", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("accept_counts", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("apply_counts", sa.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("at", "process_id", name=op.f("process_measure_pkey")),
    )
    op.create_table(
        "overview_sample",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("depth", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("depth_is_capped", sa.Boolean(), nullable=False),
        sa.Column("running", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("oldest_age_seconds", sa.Double(), nullable=True),
        sa.Column("outbox_pending", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("outbox_lag_seconds", sa.Double(), nullable=True),
        sa.Column("waiting_seats", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dead_letters", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dead_letters_by_code", sa.JSON(), nullable=False),
        sa.Column("workers_alive", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("overview_sample_pkey")),
    )
    op.add_column("worker", sa.Column("leads_relay", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("worker", sa.Column("chunk", sa.JSON(), nullable=True))
    op.create_index("outbox_id_idx", "outbox", ["id"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.drop_index("outbox_id_idx", "outbox")
    op.drop_column("worker", "chunk")
    op.drop_column("worker", "leads_relay")
    op.drop_table("overview_sample")
    op.drop_table("process_measure")
