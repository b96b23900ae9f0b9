"""The table of the operators' console: who is signed in.

One rule: it holds nothing with which anybody could sign in, only hashes and the id of the token behind them.
"""

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Uuid

from infra.postgres.columns import instant_column, metadata

# No tenant's: only operators sign in.
console_session = Table(
    "console_session",
    metadata,
    Column("hash", LargeBinary, nullable=False),
    Column("token_id", Uuid, nullable=False),
    instant_column("created_at", filled=True),
    instant_column("seen_at", filled=True),
    instant_column("expires_at", filled=True),
    PrimaryKeyConstraint("hash"),
    # What has ended is swept by its end.
    Index("console_session_expires_at_idx", "expires_at"),
)
