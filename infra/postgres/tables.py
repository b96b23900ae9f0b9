"""The tables of tenants, operations, events and workers, as SQLAlchemy Core has them.

One rule: every key of a tenant's table starts with tenant_id, so that a database that shards by tenant can take it.
There are no foreign keys on the hot tables (see docs/adr/0003): the planner, the tenant lock and `verify` guard them.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
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

_DEAD = text("status = 'failed' AND discarded_at IS NULL")
_TO_BE_CANCELLED = text("status = 'queued' AND cancel_requested_at IS NOT NULL")

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
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
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
    # Its first event, and the last, which tells its end. How many there are where others may stand between the two: the
    # operations of a pass end together. Without that number, which chunks do not count, they are all its own.
    Column("first_sequence", BigInteger),
    Column("last_sequence", BigInteger),
    Column("events", BigInteger),
    # Of a failed one: what it has in common with others that failed alike, and what its chunks left undone.
    Column("error_group", Text),
    Column("unfinished", JSON),
    instant_column("discarded_at"),
    Column("discard_reason", Text),
    instant_column("cancel_requested_at"),
    # What happened to it more than once: failures that were redriven, each with its instants.
    Column("history", JSON),
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
    # Dead letters: of one tenant, of everybody, and of one error. No other operation is in any of these.
    # discarded_at, which is null in all of it, makes an order that no other index has.
    Index("operation_dead_letter_idx", "tenant_id", "discarded_at", "seq", postgresql_where=_DEAD),
    Index("operation_dead_letter_id_idx", "id", postgresql_where=_DEAD),
    Index("operation_dead_letter_seq_idx", "seq", postgresql_where=_DEAD),
    Index("operation_dead_letter_error_idx", "tenant_id", "error_group", "seq", postgresql_where=_DEAD),
    Index("operation_dead_letter_error_seq_idx", "error_group", "seq", postgresql_where=_DEAD),
    Index("operation_cancel_idx", "tenant_id", postgresql_where=_TO_BE_CANCELLED),
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

# Beside each worker's row, until the server crashes, which empties unlogged tables: so a worker whose session was lost
# knows whether the server died over what it ran. See docs/adr/0031.
worker_session = Table(
    "worker_session",
    metadata,
    Column("worker_id", BigInteger, nullable=False, autoincrement=False),
    # Whose it is: after a crash of the server an id may be given out again.
    Column("process", Uuid, nullable=False),
    # Once the worker is taken for dead: against what that was counted, and whether as a death alone.
    instant_column("died_at"),
    Column("tenant_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("operation_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("was_alone", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("worker_id"),
    prefixes=["UNLOGGED"],
)
