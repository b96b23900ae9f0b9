"""The tables of licences: pools, grants to groups, entitlements with their sources, and work that is not done yet.

One rule: one row and one seat for each licence and person, however many sources give it (docs/glossary.md).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
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

program_id_seq = Sequence("program_id_seq", metadata=metadata, data_type=BigInteger)

license_pool = Table(
    "license",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    text_column("key"),
    text_column("name"),
    text_column("kind"),  # program | bundle
    Column("code", Text),
    # The catalogue's numeric id of the program: one per program_key and tenant.
    Column("program_id", BigInteger),
    Column("program_key", Text),
    Column("program_name", Text),
    Column("external_id", Text),
    text_column("source", ""),
    Column("transaction_id", Text),
    Column("change_type", Text),
    Column("metadata", JSON),
    Column("enrollment_config", JSON),
    Column("capacity", BigInteger),  # null: without limit
    count_column("used"),  # active entitlements
    count_column("reserved"),  # what running continuations still hold back
    count_column("queued"),  # entitlements that wait for a seat of this pool
    count_column("waiting"),  # those, and what waits for a quota or for its person
    Column("active", Boolean, nullable=False, server_default=text("true")),
    instant_column("starts_at"),
    instant_column("expires_at"),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "key", name="license_key_key"),
    UniqueConstraint("tenant_id", "code", name="license_code_key", deferrable=True, initially="IMMEDIATE"),
    UniqueConstraint(
        "tenant_id", "external_id", name="license_external_id_key", deferrable=True, initially="IMMEDIATE"
    ),
    Index("license_program_idx", "tenant_id", "program_key", postgresql_where=text("program_key IS NOT NULL")),
    # The last guard against overselling; the planner is the plan.
    CheckConstraint("used >= 0 AND reserved >= 0 AND used + reserved <= capacity", name="seats"),
    CheckConstraint("queued >= 0 AND waiting >= queued", name="waiting"),
    CheckConstraint("kind IN ('program', 'bundle')", name="kind"),
)

group_license = Table(
    "group_license",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("license_id", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("hold", Boolean, nullable=False, server_default=text("false")),
    text_column("shortage", "reject"),
    Column("quota", BigInteger),  # null: every member
    count_column("in_quota"),  # sources of this grant that are not beyond its quota
    count_column("assigned"),  # members reached, by the state of their entitlement
    count_column("waiting"),
    count_column("suspended"),
    Column("redirect_to", Text),
    Column("metadata", JSON),
    # Set where the grant is deleted and its sources are still being taken away: nobody sees such a row any more.
    instant_column("removed_at"),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(
        "group_license_key",
        "tenant_id",
        "group_id",
        "license_id",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index("group_license_license_idx", "tenant_id", "license_id", "id"),
    CheckConstraint("in_quota >= 0 AND assigned >= 0 AND waiting >= 0 AND suspended >= 0", name="counts"),
)

entitlement = Table(
    "entitlement",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("license_id", BigInteger, nullable=False),
    Column("user_id", BigInteger),  # null: an e-mail address whose person is not known yet
    Column("email", Text),
    Column("email_key", Text),
    # ACTIVE 1, QUEUED 2 (for a seat), BLOCKED 3 (by quotas), PARKED 4 (person inactive), SUSPENDED 5
    # (domain/entitlements.py).
    Column("state", SmallInteger, nullable=False),
    # The seq of the operation that asked: with the person's id, the place in the waiting list.
    Column("asked_seq", BigInteger, nullable=False),
    Column("redirect_to", Text),
    Column("metadata", JSON),
    instant_column("created_at", filled=True),
    instant_column("updated_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "license_id", "user_id", name="entitlement_user_key"),
    Index(
        "entitlement_email_key",
        "tenant_id",
        "license_id",
        "email_key",
        unique=True,
        postgresql_where=text("email_key IS NOT NULL"),
    ),
    Index("entitlement_address_idx", "tenant_id", "email_key", postgresql_where=text("email_key IS NOT NULL")),
    Index("entitlement_person_idx", "tenant_id", "user_id", "license_id", postgresql_where=text("user_id IS NOT NULL")),
    Index("entitlement_license_idx", "tenant_id", "license_id", "id"),
    Index(
        "entitlement_queue_idx",
        "tenant_id",
        "license_id",
        "asked_seq",
        "user_id",
        "id",
        postgresql_where=text("state = 2"),
    ),
    # Who holds a seat and is known; and who waits, is suspended or is an address alone, which `state <> 1` implies.
    Index(
        "entitlement_fulfilled_idx",
        "tenant_id",
        "license_id",
        "id",
        postgresql_where=text("state = 1 AND user_id IS NOT NULL"),
    ),
    Index(
        "entitlement_unfulfilled_idx",
        "tenant_id",
        "license_id",
        "id",
        postgresql_where=text("state <> 1 OR user_id IS NULL"),
    ),
    Index("entitlement_suspended_idx", "tenant_id", "license_id", "id", postgresql_where=text("state = 5")),
    CheckConstraint("state BETWEEN 1 AND 5", name="state"),
    CheckConstraint("(user_id IS NULL) = (email_key IS NOT NULL)", name="person"),
)

entitlement_source = Table(
    "entitlement_source",
    metadata,
    tenant_id_column(),
    Column("entitlement_id", BigInteger, nullable=False),
    Column("grant_id", BigInteger, nullable=False),  # group_license.id; 0: direct
    # Of what a group gives, the person: who of those beyond a quota is next is then an index's order.
    Column("user_id", BigInteger),
    # Beyond the grant's quota: gives nothing until a place in it comes free.
    Column("blocked", Boolean, nullable=False, server_default=text("false")),
    Column("seq", BigInteger, nullable=False),
    Column("operation_id", Uuid, nullable=False),
    instant_column("since", filled=True),
    PrimaryKeyConstraint("tenant_id", "entitlement_id", "grant_id"),
    Index(
        "entitlement_source_grant_idx",
        "tenant_id",
        "grant_id",
        "entitlement_id",
        postgresql_where=text("grant_id <> 0"),
    ),
    Index(
        "entitlement_source_blocked_idx",
        "tenant_id",
        "grant_id",
        "seq",
        "user_id",
        "entitlement_id",
        postgresql_where=text("blocked"),
    ),
)

continuation = Table(
    "continuation",
    metadata,
    tenant_id_column(),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("operation_id", Uuid, nullable=False),
    Column("operation_seq", BigInteger, nullable=False),
    text_column("kind"),  # domain/continuations.py
    # What it is about: a grant, a licence, a group or a role, by its id; the key is kept for events, since the row of
    # what is being deleted is gone already.
    Column("target_id", BigInteger, nullable=False),
    text_column("target_key", ""),
    Column("license_id", BigInteger),
    Column("group_id", BigInteger),
    # The last user (or entitlement) that was reached; committed with its chunk.
    count_column("cursor"),
    # Seats held back for members not yet reached; those up to `boundary` (null: all) are given one.
    count_column("reserved"),
    Column("boundary", BigInteger),
    # Members up to this one are within the grant's quota (null: all).
    Column("quota_boundary", BigInteger),
    count_column("done"),
    count_column("total"),
    instant_column("created_at", filled=True),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("continuation_target_idx", "tenant_id", "target_id"),
    CheckConstraint("reserved >= 0", name="reserved"),
)

due = Table(
    "due",
    metadata,
    tenant_id_column(),
    Column("license_id", BigInteger, nullable=False),
    text_column("kind"),  # start | end
    instant_column("at", filled=True),
    PrimaryKeyConstraint("tenant_id", "license_id", "kind"),
    Index("due_at_idx", "at"),
)
