"""The pool of connections as it is where traces are wanted: every statement is told to the work that runs it.

One rule: a class of its own, so that without traces nothing is asked at any statement.
"""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from infra.postgres.database import Database, Opened, Row, Transaction
from infra.postgres.statements import Statement
from infra.tracing.work import timed


class TracedTransaction(Transaction):
    """A transaction whose statements, and whose commit, are timed."""

    @override
    async def _fetch(self, statement: Statement, binds: Mapping[str, object]) -> Sequence[Row]:
        with timed(statement.name):
            return await super()._fetch(statement, binds)

    @override
    async def _execute(self, statement: Statement, binds: Mapping[str, object]) -> None:
        with timed(statement.name):
            await super()._execute(statement, binds)

    @override
    async def commit(self, opened: Opened) -> None:
        with timed("COMMIT"):
            await super().commit(opened)


class TracedDatabase(Database):
    """The same pool. Sessions of their own are not traced: they hold locks or recount, and nobody waits for them."""

    transaction_type = TracedTransaction

    @override
    async def fetch(self, statement: Statement, **binds: object) -> Sequence[Row]:
        with timed(statement.name):
            return await super().fetch(statement, **binds)
