"""Licences: pools, grants to groups, entitlements with their sources, continuations and dated work.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.execute(sa.schema.CreateSequence(sa.Sequence("program_id_seq", data_type=sa.BigInteger)))
    op.create_table(
        "continuation",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("operation_seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("target_key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("license_id", sa.BigInteger(), nullable=True),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("cursor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("boundary", sa.BigInteger(), nullable=True),
        sa.Column("quota_boundary", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("reserved >= 0", name=op.f("continuation_reserved_check")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("continuation_pkey")),
    )
    op.create_index("continuation_target_idx", "continuation", ["tenant_id", "target_id"], unique=False)
    op.create_table(
        "due",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("license_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "license_id", "kind", name=op.f("due_pkey")),
    )
    op.create_index("due_at_idx", "due", ["at"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("license_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("asked_seq", sa.BigInteger(), nullable=False),
        sa.Column("redirect_to", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) = (email_key IS NOT NULL)", name=op.f("entitlement_person_check")),
        sa.CheckConstraint("state BETWEEN 1 AND 5", name=op.f("entitlement_state_check")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("entitlement_pkey")),
        sa.UniqueConstraint("tenant_id", "license_id", "user_id", name="entitlement_user_key"),
    )
    op.create_index(
        "entitlement_address_idx",
        "entitlement",
        ["tenant_id", "email_key"],
        unique=False,
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_index(
        "entitlement_email_key",
        "entitlement",
        ["tenant_id", "license_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_index("entitlement_license_idx", "entitlement", ["tenant_id", "license_id", "id"], unique=False)
    op.create_index(
        "entitlement_person_idx",
        "entitlement",
        ["tenant_id", "user_id", "license_id"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_index(
        "entitlement_queue_idx",
        "entitlement",
        ["tenant_id", "license_id", "asked_seq", "user_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 2"),
    )
    op.create_index(
        "entitlement_fulfilled_idx",
        "entitlement",
        ["tenant_id", "license_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 1 AND user_id IS NOT NULL"),
    )
    op.create_index(
        "entitlement_unfulfilled_idx",
        "entitlement",
        ["tenant_id", "license_id", "id"],
        unique=False,
        postgresql_where=sa.text("state <> 1 OR user_id IS NULL"),
    )
    op.create_index(
        "entitlement_suspended_idx",
        "entitlement",
        ["tenant_id", "license_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 5"),
    )
    op.create_table(
        "entitlement_source",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entitlement_id", sa.BigInteger(), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "entitlement_id", "grant_id", name=op.f("entitlement_source_pkey")),
    )
    op.create_index(
        "entitlement_source_blocked_idx",
        "entitlement_source",
        ["tenant_id", "grant_id", "seq", "user_id", "entitlement_id"],
        unique=False,
        postgresql_where=sa.text("blocked"),
    )
    op.create_index(
        "entitlement_source_grant_idx",
        "entitlement_source",
        ["tenant_id", "grant_id", "entitlement_id"],
        unique=False,
        postgresql_where=sa.text("grant_id <> 0"),
    )
    op.create_table(
        "group_license",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("license_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("hold", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("shortage", sa.Text(), server_default=sa.text("'reject'"), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=True),
        sa.Column("in_quota", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("assigned", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("suspended", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("redirect_to", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "in_quota >= 0 AND assigned >= 0 AND waiting >= 0 AND suspended >= 0",
            name=op.f("group_license_counts_check"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("group_license_pkey")),
    )
    op.create_index(
        "group_license_key",
        "group_license",
        ["tenant_id", "group_id", "license_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("group_license_license_idx", "group_license", ["tenant_id", "license_id", "id"], unique=False)
    op.create_table(
        "license",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("program_key", sa.Text(), nullable=True),
        sa.Column("program_name", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("change_type", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=True),
        sa.Column("enrollment_config", sa.JSON(), nullable=True),
        sa.Column("capacity", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('program', 'bundle')", name=op.f("license_kind_check")),
        sa.CheckConstraint("queued >= 0 AND waiting >= queued", name=op.f("license_waiting_check")),
        sa.CheckConstraint(
            "used >= 0 AND reserved >= 0 AND used + reserved <= capacity", name=op.f("license_seats_check")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("license_pkey")),
        sa.UniqueConstraint("tenant_id", "code", deferrable=True, initially="IMMEDIATE", name="license_code_key"),
        sa.UniqueConstraint(
            "tenant_id", "external_id", deferrable=True, initially="IMMEDIATE", name="license_external_id_key"
        ),
        sa.UniqueConstraint("tenant_id", "key", name="license_key_key"),
    )
    op.create_index(
        "license_program_idx",
        "license",
        ["tenant_id", "program_key"],
        unique=False,
        postgresql_where=sa.text("program_key IS NOT NULL"),
    )
    op.add_column(
        "user_group", sa.Column("use_external_license", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    # Counts of these change with every command: vacuum must keep up with the churn, not with the size.
    for table in ("license", "group_license", "continuation"):
        op.execute(
            f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)"
        )
    _walk_by_person(["tenant_id", "role_id", "user_id"], ["tenant_id", "primary_group_id", "id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    _walk_by_person(["tenant_id", "role_id"], ["tenant_id", "primary_group_id"])
    op.drop_column("user_group", "use_external_license")
    op.drop_table("license")
    op.drop_table("group_license")
    op.drop_table("entitlement_source")
    op.drop_table("entitlement")
    op.drop_table("due")
    op.drop_table("continuation")
    op.execute("DROP SEQUENCE program_id_seq")


def _walk_by_person(roles: list[str], primary_groups: list[str]) -> None:
    """Cascades of roles and groups come to people in the order of their ids."""
    op.drop_index("group_assignment_role_idx", "group_assignment")
    op.create_index("group_assignment_role_idx", "group_assignment", roles, unique=False)
    op.drop_index("app_user_primary_group_idx", "app_user")
    op.create_index(
        "app_user_primary_group_idx",
        "app_user",
        primary_groups,
        unique=False,
        postgresql_where=sa.text("primary_group_id IS NOT NULL"),
    )
