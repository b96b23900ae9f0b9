"""Holds work that goes on in chunks against the model, once it is done.

One rule: what the contract lets be different while chunks run is not compared: instants, the counts that the first
answer shows, into how many announcements of counts the work falls, the numbers of what a dry run would make, and,
where a later command has taken a fan-out over, who asked first for people whom that had not come to yet: the model's
has come to everybody at once.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from domain.outcomes import outcomes_in
from infra.postgres.database import Database
from infra.postgres.operations import OperationView
from tests.support.engine import Asked, events_of, operations, state_of
from tests.support.invariants import assert_sound
from tests.support.license_state import continuations
from tests.support.matching import Bindings
from tests.support.model import Model
from tests.support.model_rows import Unknown
from tests.support.oracle import chosen_key


class ChunkedOracle:
    """The model of one tenant whose groups do not fit into one chunk."""

    def __init__(self, database: Database, tenant_id: int, *, interleaved: bool = False) -> None:
        """With `interleaved` commands may have come between the chunks of others."""
        self._database = database
        self._interleaved = interleaved
        self._tenant_id = tenant_id
        self._seen = Bindings(loose={"at"})
        self._model = Model(self._seen.unknown)
        self.held = 0

    async def assert_agrees(self, asked: Sequence[Asked], ids: Sequence[UUID]) -> None:
        """Hold what the next operations, which are finished, have left against the model."""
        self.held += len(ids)
        views = await operations(self._database, self._tenant_id, ids)
        assert len(views) == len(asked)
        for one, view in zip(asked, views, strict=True):
            self._assert_answered(one, view)
            if view.superseded_by is not None:
                self._seen.loosen("seq")
        assert await continuations(self._database, self._tenant_id) == []
        state = await state_of(self._database, self._tenant_id)
        self._seen.assert_same(self._model.state() | self._model.license_state(), state)
        assert_sound(state, await events_of(self._database, self._tenant_id))

    def _assert_answered(self, one: Asked, view: OperationView) -> None:
        assert view.error is None, view.error
        assert view.response is not None
        status, document = self._model.apply(
            one.command,
            str(view.id),
            dry_run=one.dry_run,
            at=view.started_at,
            chosen=chosen_key(view.response),
        )
        answered = [(item["outcome"], item.get("code")) for item in outcomes_in(view.response)]
        assert answered == [(item["outcome"], item.get("code")) for item in document["items"]], one
        assert view.status.value == status, one
        assert view.done == view.total or view.superseded_by is not None, one
        # A dry run may number anew what, for the model, a fan-out has made already; the engine's makes it later.
        fits = self._seen.agrees if one.dry_run and self._interleaved else self._seen.bind
        self._hold(document["items"], outcomes_in(view.response), fits)

    def _hold(self, expected: Any, actual: Any, fits: Callable[[Unknown, Any], bool]) -> None:
        """The numbers that the answer names fit, whatever else it says."""
        if isinstance(expected, dict):
            for name in expected.keys() & actual.keys():
                self._hold(expected[name], actual[name], fits)
        elif isinstance(expected, list):
            for one, other in zip(expected, actual, strict=False):
                self._hold(one, other, fits)
        elif isinstance(expected, Unknown):
            assert fits(expected, actual), (expected, actual)
