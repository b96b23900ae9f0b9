"""What an error of the database means is read from its SQLSTATE and its type, never from its words."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from infra.postgres.faults import is_refused_row, is_statement_timeout, is_transient
from infra.traces import trace


def wrapped(error, *, invalidated=False):
    return DBAPIError("SELECT 1", {}, error, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        ConnectionResetError("reset"),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("closed"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.TooManyConnectionsError("many"),
        asyncpg.LockNotAvailableError("locked"),
        asyncpg.AdminShutdownError("shutdown"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.IdleInTransactionSessionTimeoutError("idle"),
        asyncpg.InterfaceError("connection is closed"),
        wrapped(asyncpg.CannotConnectNowError("starting up")),
        wrapped(ValueError("anything"), invalidated=True),
    ],
)
def test_what_may_be_over_soon_is_worth_another_try(error):
    assert is_transient(error)
    assert not is_refused_row(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("taken"),
        asyncpg.CheckViolationError("no"),
        asyncpg.NotNullViolationError("null"),
        asyncpg.CharacterNotInRepertoireError("NUL"),
        asyncpg.InvalidTextRepresentationError("no JSON"),
        asyncpg.DataError("an unpaired surrogate"),
        wrapped(asyncpg.UniqueViolationError("taken")),
    ],
)
def test_a_value_that_is_refused_is_refused_the_next_time_too(error):
    assert is_refused_row(error)
    assert not is_transient(error)


@pytest.mark.parametrize("error", [KeyError("bug"), asyncpg.UndefinedColumnError("bug"), ValueError("bug")])
def test_a_bug_is_neither(error):
    assert not is_transient(error)
    assert not is_refused_row(error)
    assert not is_statement_timeout(error)


def test_only_a_cancelled_query_is_a_statement_timeout():
    assert is_statement_timeout(asyncpg.QueryCanceledError("statement timeout"))
    assert not is_statement_timeout(TimeoutError())
    assert not is_statement_timeout(asyncpg.LockNotAvailableError("locked"))


def test_a_trace_says_what_and_where_and_no_value():
    def statement():
        raise asyncpg.UniqueViolationError("Key (username_key)=(ann.lee) already exists.")

    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        statement()
    told = trace(caught.value)
    assert told.startswith("UniqueViolationError 23505 at ")
    assert "test_database_faults.statement:" in told
    assert "ann.lee" not in told
