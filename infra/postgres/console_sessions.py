"""Sessions of the operators' console: begun with an operator token, gone with it.

One rule: of a session's secret only its SHA-256 is stored; the secret itself lives in one browser's cookie.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.audit import Action, Actor, AuditEntry
from infra.postgres.audit import write_audit
from infra.postgres.database import Database
from infra.postgres.statements import load

_SQL = load("console_sessions")
_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """Who is signed in: the token's id, name and scopes as they are now."""

    token_id: UUID
    name: str
    scopes: Sequence[str]


async def begin_session(database: Database, *, token_id: UUID, name: str, lifetime: timedelta, idle: timedelta) -> str:
    """Begin a session of the token of this name and return its secret: 256 random bits as URL-safe text."""
    secret = secrets.token_urlsafe(32)
    async with database.transaction() as tx:
        await tx.execute(_SQL["sweep_console_sessions"], idle=idle)
        await tx.execute(_SQL["insert_console_session"], hash=secret_hash(secret), token_id=token_id, lifetime=lifetime)
        await write_audit(tx, _entry(Action.SIGNED_IN, token_id, name))
    return secret


async def find_session(database: Database, secret: str, *, idle: timedelta) -> ConsoleSession | None:
    """The living session of this secret; finding it keeps it from falling silent."""
    found = secret_hash(secret)
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["find_console_session"], hash=found, idle=idle, stale=_TOUCH_AFTER)
        if not rows:
            return None
        row = rows[0]
        if row["is_stale"]:
            await tx.execute(_SQL["touch_console_session"], hash=found)
    return ConsoleSession(token_id=row["token_id"], name=row["name"], scopes=tuple(row["scopes"]))


async def end_session(database: Database, secret: str, *, name: str) -> None:
    """End the session, whose token has this name; a second call changes nothing."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SQL["delete_console_session"], hash=secret_hash(secret))
        if rows:
            await write_audit(tx, _entry(Action.SIGNED_OUT, rows[0]["token_id"], name))


def _entry(action: Action, token_id: UUID, name: str) -> AuditEntry:
    return AuditEntry(actor=Actor(token_id=token_id, name=name), action=action, subject=f"tokens/{token_id}")


def secret_hash(secret: str) -> bytes:
    """What is stored and looked up instead of the secret."""
    return hashlib.sha256(secret.encode()).digest()
