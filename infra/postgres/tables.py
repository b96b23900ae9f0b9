"""The tables of tenants, people, groups, operations and events, as SQLAlchemy Core has them.

One rule: every key of a tenant's table starts with tenant_id, so that a database that shards by tenant can take it.
There are no foreign keys on the hot tables (see docs/adr/0003): the planner, the tenant lock and `verify` guard them.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from infra.postgres.columns import count_column, instant_column, metadata, tenant_id_column, text_column

operation_seq = Sequence("operation_seq", metadata=metadata, data_type=BigInteger)

tenant = Table(
    "tenant",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    text_column("key"),
    text_column("org"),
    text_column("name"),
    instant_column("created_at", filled=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("key", name="tenant_key_key"),
)

tenant_log = Table(
    "tenant_log",
    metadata,
    tenant_id_column(),
    count_column("event_seq"),
    Column("type_seq", JSON, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("tenant_id"),
)

api_token = Table(
    "api_token",
    metadata,
    tenant_id_column(),
    Column("id", Uuid, nullable=False),
    text_column("name", ""),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("roles", ARRAY(Text)),
    instant_column("created_at", filled=True),
    instant_column("expires_at"),
    instant_column("revoked_at"),
    PrimaryKeyConstraint("tenant_id", "id"),
    # Not unique, since its tenant is what the lookup asks for; 256-bit hashes of random tokens do not meet.
    Index("api_token_hash_idx", "hash"),
)

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

operation = Table(
    "operation",
    metadata,
    tenant_id_column(),
    Column("id", Uuid, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=operation_seq.next_value()),
    text_column("kind"),
    text_column("status", "queued"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("deaths_alone", SmallInteger, nullable=False, server_default=text("0")),
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    # How many items the request holds and how many bytes it takes: what a pass's budget counts.
    Column("items", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("request", JSON, nullable=False),
    Column("presentation", JSON, nullable=False),
    Column("response", JSON),
    Column("error", JSON),
    Column("reply_to", Text),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("request_id", Text),
    Column("traceparent", Text),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger, nullable=False),
    instant_column("accepted_at", filled=True),
    instant_column("started_at"),
    instant_column("finished_at"),
    Column("superseded_by", Uuid),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("operation_seq_idx", "tenant_id", "seq"),
    Index(
        "operation_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index("operation_open_idx", "tenant_id", "seq", postgresql_where=text("status IN ('queued', 'running')")),
    Index("operation_failed_idx", "tenant_id", "seq", postgresql_where=text("status = 'failed'")),
    # BRIN: the retention sweep needs no order, and a B-tree here would cost every command an insert.
    Index("operation_finished_idx", "finished_at", postgresql_using="brin"),
)

outbox = Table(
    "outbox",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    text_column("type"),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("operation_id", Uuid, nullable=False),
    text_column("routing_key"),
    # Deflated where `bytes` tells how long it is (infra/postgres/outbox_bodies.py).
    Column("body", LargeBinary, nullable=False),
    Column("bytes", Integer),
    instant_column("created_at", filled=True),
    instant_column("published_at"),
    PrimaryKeyConstraint("tenant_id", "first_sequence"),
    Index("outbox_pending_idx", "id", postgresql_where=text("published_at IS NULL")),
    Index("outbox_type_idx", "tenant_id", "type", "first_sequence"),
    # The newest messages of all tenants, for the operators' tail.
    Index("outbox_id_idx", "id"),
    Index("outbox_published_idx", "published_at", postgresql_using="brin"),
)

worker = Table(
    "worker",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    text_column("name"),
    text_column("version"),
    instant_column("started_at", filled=True),
    instant_column("seen_at", filled=True),
    # What the current pass holds; cleared by the pass's own commit. What a dead worker's row still names killed it.
    Column("tenant_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("operation_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    # For the people who watch, as of its last heartbeat: whether it publishes, and the chunk it was last at.
    Column("leads_relay", Boolean, nullable=False, server_default=text("false")),
    Column("chunk", JSON),
    PrimaryKeyConstraint("id"),
)
