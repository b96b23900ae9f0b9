"""The tables of the directory: people, groups, roles, and who has which role in which group.

One rule: a name is kept as it was sent, and beside it as it is compared: without case, unique in its tenant.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from infra.postgres.columns import count_column, instant_column, metadata, tenant_id_column, text_column

app_user = Table(
    "app_user",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    text_column("key"),
    text_column("username"),
    text_column("username_key"),
    Column("email", Text),
    Column("email_key", Text),
    text_column("first_name", ""),
    text_column("last_name", ""),
    text_column("department", ""),
    # What search_term looks in; the separator keeps a term from matching across two of the fields.
    Column(
        "search_text",
        Text,
        Computed("lower(first_name || chr(31) || last_name || chr(31) || department)", persisted=True),
    ),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("attributes", JSON, nullable=False, server_default=text("'{}'")),
    Column("primary_group_id", BigInteger),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "key", name="app_user_key_key"),
    # Deferrable, so that one statement may swap two names: uniqueness is then checked at its end, not row by row.
    UniqueConstraint("tenant_id", "username_key", name="app_user_username_key", deferrable=True, initially="IMMEDIATE"),
    UniqueConstraint("tenant_id", "email_key", name="app_user_email_key", deferrable=True, initially="IMMEDIATE"),
    Index("app_user_first_name_idx", "tenant_id", "first_name", "id"),
    Index("app_user_last_name_idx", "tenant_id", "last_name", "id"),
    Index(
        "app_user_primary_group_idx",
        "tenant_id",
        "primary_group_id",
        "id",
        postgresql_where=text("primary_group_id IS NOT NULL"),
    ),
    Index(
        "app_user_search_idx",
        "tenant_id",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    ),
)

user_group = Table(
    "user_group",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    text_column("key"),
    text_column("name"),
    count_column("user_count"),
    count_column("assignment_count"),
    # The account dialect's flag, stored and echoed.
    Column("use_external_license", Boolean, nullable=False, server_default=text("false")),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "key", name="user_group_key_key"),
    CheckConstraint("user_count >= 0 AND assignment_count >= user_count", name="counts"),
)

role = Table(
    "role",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    text_column("key"),
    text_column("permission_scope"),
    Column("titles", JSON, nullable=False),
    Column("descriptions", JSON, nullable=False, server_default=text("'{}'")),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "key", name="role_key_key"),
)

group_assignment = Table(
    "group_assignment",
    metadata,
    tenant_id_column(),
    Column("group_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("role_id", BigInteger, nullable=False),
    # MANUAL 1, SCIM 2, RULE 4, PRIMARY 8 (domain/sources.py); a row without a source does not exist.
    Column("sources", SmallInteger, nullable=False),
    instant_column("created_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "group_id", "user_id", "role_id"),
    CheckConstraint("sources BETWEEN 1 AND 15", name="sources"),
    Index("group_assignment_user_idx", "tenant_id", "user_id"),
    Index("group_assignment_created_idx", "tenant_id", "group_id", "created_at", "user_id", "role_id"),
    Index("group_assignment_role_idx", "tenant_id", "role_id", "user_id"),
)

group_member = Table(
    "group_member",
    metadata,
    tenant_id_column(),
    Column("group_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "group_id", "user_id"),
)
