"""Commands that go straight to the database, without an API.

One rule: whatever the database or the settings have against it is one clear line and exit code 1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from domain.administration import AdministrationError
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.settings import SettingsError, load

T = TypeVar("T")

_UNDEFINED_TABLE = "42P01"
_REFUSED_CONNECTION = frozenset({"28", "3D"})  # authorization, unknown database


def run(action: Callable[[Database], Awaitable[T]], *, name: str = "seatline-administration", size: int = 1) -> T:
    """Run the action on the database that the settings name.

    Raises:
        click.ClickException: the settings are unusable, the database is not reached, or it has no schema.
    """
    with _clear_errors():
        url = load().database_url.get_secret_value()
        return asyncio.run(_with_database(Database(url, name=name, size=size), action))


async def _with_database(database: Database, action: Callable[[Database], Awaitable[T]]) -> T:
    try:
        return await action(database)
    finally:
        await database.close()


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (AdministrationError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        reason = _database_reason(error)
        if reason is None:
            raise
        raise click.ClickException(reason) from error


def _database_reason(error: Exception) -> str | None:
    # An error of the connection itself comes wrapped by the pool; the driver's stands inside.
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
    if sqlstate == _UNDEFINED_TABLE:
        return "the database has no Seatline schema yet: run `seatline migrate`"
    if isinstance(sqlstate, str) and sqlstate[:2] in _REFUSED_CONNECTION:
        return f"the database refuses the connection (SQLSTATE {sqlstate}): check SEATLINE_DATABASE_URL"
    if is_transient(error):
        return f"the database cannot be reached ({sqlstate or type(error).__name__})"
    return None
