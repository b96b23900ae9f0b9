"""The metadata that all tables share, and the columns that look alike in them.

One rule: constraint names follow one convention, since infra/postgres code and migrations both spell them.
"""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text, func, text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_1_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_1_name)s_idx",
    }
)


def instant_column(name: str, *, filled: bool = False) -> Column[object]:
    """A timestamptz; `filled` ones are never null and say when the row was made."""
    now = func.now() if filled else None
    return Column(name, DateTime(timezone=True), nullable=not filled, server_default=now)


def text_column(name: str, default: str | None = None) -> Column[str]:
    """A text that is never null."""
    return Column(name, Text, nullable=False, server_default=None if default is None else text(f"'{default}'"))


def count_column(name: str) -> Column[int]:
    """A number that is kept by adding to it."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def tenant_id_column() -> Column[int]:
    """The first column of every tenant's table and key."""
    return Column("tenant_id", BigInteger, nullable=False, autoincrement=False)
