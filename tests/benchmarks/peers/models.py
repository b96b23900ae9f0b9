"""The peers' tables, as declarative ORM models: what group assignments with checks and counts need, and no more."""

import os
from datetime import UTC, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# postgresql://…; each peer adds its driver.
DATABASE_URL = os.environ.get("PEER_DATABASE_URL", "postgresql://")
AMQP_URL = os.environ.get("PEER_AMQP_URL", "amqp://")
QUEUE = os.environ.get("PEER_QUEUE", "peer")


def database_url(driver: str) -> str:
    """The database through this driver."""
    return DATABASE_URL.replace("postgresql://", f"postgresql+{driver}://", 1)


class Base(DeclarativeBase):
    """What the models have in common."""


class User(Base):
    """A person."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    department: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Group(Base):
    """A group, with the number of its people."""

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    user_count: Mapped[int] = mapped_column(default=0)


class Role(Base):
    """What a person is in a group."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    permission_scope: Mapped[str]
    title: Mapped[str]


class Assignment(Base):
    """A person has a role in a group."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("group_id", "user_id", "role_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id"))
    source: Mapped[str] = mapped_column(default="MANUAL")
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None))
