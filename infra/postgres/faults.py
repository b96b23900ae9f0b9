"""Which errors of the database mean what: one table for intake, passes and doors.

One rule: only SQLSTATE classes and types of errors are looked at, never a message.
"""

import asyncpg
from pydantic_core import PydanticSerializationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Connection, transaction rollback, resources, object not ready (locks), operator intervention:
# the server's state, not the statement, is the reason, so the same statement may succeed later.
_TRANSIENT_CLASSES = frozenset({"08", "25", "40", "53", "55", "57"})
# Data exception and integrity violation: the row is the reason; its neighbours may be fine.
_ROW_CLASSES = frozenset({"22", "23"})
_QUERY_CANCELED = "57014"


def is_transient(error: BaseException) -> bool:
    """The server could not be reached or could not serve just now; trying again later is right."""
    if isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | PoolTimeoutError):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        # What asyncpg says when the server's farewell is there and the end of the connection is not, and of plans that
        # another version's schema has outdated.
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return _sqlstate(error)[:2] in _TRANSIENT_CLASSES


def is_statement_timeout(error: BaseException) -> bool:
    """The statement took longer than statement_timeout allows; the work itself may be the reason."""
    return _sqlstate(error) == _QUERY_CANCELED


def is_refused_row(error: BaseException) -> bool:
    """The database refuses a value, or no JSON says it; without that row its neighbours would have gone in."""
    return isinstance(error, PydanticSerializationError) or _sqlstate(error)[:2] in _ROW_CLASSES


def _sqlstate(error: BaseException) -> str:
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    sqlstate = getattr(origin, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) else ""
