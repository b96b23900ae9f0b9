"""The tables of what processes have measured: their counts by time, and samples of the installation as a whole.

One rule: no tenant's rows, and nothing that anybody decides by. They are kept for a day, whatever is lost with them.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Uuid,
)

from infra.postgres.columns import count_column, metadata

# Of one process in the slot of some seconds that begins at `at`.
process_measure = Table(
    "process_measure",
    metadata,
    Column("at", DateTime(timezone=True), nullable=False),
    Column("process_id", Uuid, nullable=False),
    count_column("accepted"),
    count_column("applied"),
    count_column("events"),
    # How many took how long, by the bounds of infra/measures/instruments.py; empty: none.
    Column("accept_counts", ARRAY(Integer), nullable=False),
    Column("apply_counts", ARRAY(Integer), nullable=False),
    PrimaryKeyConstraint("at", "process_id"),
)

# Of the installation, taken by one process for all of them, once in a slot.
overview_sample = Table(
    "overview_sample",
    metadata,
    Column("at", DateTime(timezone=True), nullable=False),
    count_column("depth"),
    Column("depth_is_capped", Boolean, nullable=False),
    count_column("running"),
    Column("oldest_age_seconds", Double),
    count_column("outbox_pending"),
    Column("outbox_lag_seconds", Double),
    count_column("waiting_seats"),
    count_column("dead_letters"),
    Column("dead_letters_by_code", JSON, nullable=False),
    Column("workers_alive", BigInteger, nullable=False),
    PrimaryKeyConstraint("at"),
)
