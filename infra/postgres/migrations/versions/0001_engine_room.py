"""The users dialect and the engine room.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.execute(sa.schema.CreateSequence(sa.Sequence("operation_seq", data_type=sa.BigInteger)))
    op.create_table(
        "api_token",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("api_token_pkey")),
    )
    op.create_index("api_token_hash_idx", "api_token", ["hash"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("last_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("department", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed("lower(first_name || chr(31) || last_name || chr(31) || department)", persisted=True),
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("attributes", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("primary_group_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("app_user_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "email_key", deferrable=True, initially="IMMEDIATE", name="app_user_email_key"
        ),
        sa.UniqueConstraint("tenant_id", "key", name="app_user_key_key"),
        sa.UniqueConstraint(
            "tenant_id", "username_key", deferrable=True, initially="IMMEDIATE", name="app_user_username_key"
        ),
    )
    op.create_index("app_user_first_name_idx", "app_user", ["tenant_id", "first_name", "id"], unique=False)
    op.create_index("app_user_last_name_idx", "app_user", ["tenant_id", "last_name", "id"], unique=False)
    op.create_index(
        "app_user_primary_group_idx",
        "app_user",
        ["tenant_id", "primary_group_id"],
        unique=False,
        postgresql_where=sa.text("primary_group_id IS NOT NULL"),
    )
    op.create_index(
        "app_user_search_idx",
        "app_user",
        ["tenant_id", "search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table(
        "group_assignment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("sources", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("sources BETWEEN 1 AND 15", name=op.f("group_assignment_sources_check")),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "user_id", "role_id", name=op.f("group_assignment_pkey")),
    )
    op.create_index(
        "group_assignment_created_idx",
        "group_assignment",
        ["tenant_id", "group_id", "created_at", "user_id", "role_id"],
        unique=False,
    )
    op.create_index("group_assignment_role_idx", "group_assignment", ["tenant_id", "role_id"], unique=False)
    op.create_index("group_assignment_user_idx", "group_assignment", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "group_member",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "user_id", name=op.f("group_member_pkey")),
    )
    op.create_table(
        "operation",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("nextval('operation_seq')"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deaths_alone", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("presentation", sa.JSON(), nullable=False),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("operation_pkey")),
    )
    op.create_index(
        "operation_failed_idx",
        "operation",
        ["tenant_id", "seq"],
        unique=False,
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index("operation_finished_idx", "operation", ["finished_at"], unique=False, postgresql_using="brin")
    op.create_index(
        "operation_idempotency_key",
        "operation",
        ["tenant_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "operation_open_idx",
        "operation",
        ["tenant_id", "seq"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index("operation_seq_idx", "operation", ["tenant_id", "seq"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "first_sequence", name=op.f("outbox_pkey")),
    )
    op.create_index(
        "outbox_pending_idx", "outbox", ["id"], unique=False, postgresql_where=sa.text("published_at IS NULL")
    )
    op.create_index("outbox_published_idx", "outbox", ["published_at"], unique=False, postgresql_using="brin")
    op.create_index("outbox_type_idx", "outbox", ["tenant_id", "type", "first_sequence"], unique=False)
    op.create_table(
        "role",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("permission_scope", sa.Text(), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("descriptions", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("role_pkey")),
        sa.UniqueConstraint("tenant_id", "key", name="role_key_key"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tenant_pkey")),
        sa.UniqueConstraint("key", name="tenant_key_key"),
    )
    op.create_table(
        "tenant_log",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("type_seq", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("tenant_log_pkey")),
    )
    op.create_table(
        "user_group",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("assignment_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("user_count >= 0 AND assignment_count >= user_count", name=op.f("user_group_counts_check")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("user_group_pkey")),
        sa.UniqueConstraint("tenant_id", "key", name="user_group_key_key"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("operation_ids", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("worker_pkey")),
    )
    # Rows of these three live for moments in their hot state: vacuum must keep up with the churn, not with the size.
    for table in ("operation", "outbox", "worker"):
        op.execute(
            f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.drop_table("worker")
    op.drop_table("user_group")
    op.drop_table("tenant_log")
    op.drop_table("tenant")
    op.drop_table("role")
    op.drop_table("outbox")
    op.drop_table("operation")
    op.drop_table("group_member")
    op.drop_table("group_assignment")
    op.drop_table("app_user")
    op.drop_table("api_token")
    op.execute("DROP SEQUENCE operation_seq")
