"""Runs the model beside the engine and holds one against the other: answers, state, events, and what must always be.

One rule: a tenant's operations are compared in accept order, however they were spread over passes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from infra.postgres.database import Database
from infra.postgres.operations import OperationView
from tests.support.engine import Asked, events_of, operations, state_of
from tests.support.matching import Bindings
from tests.support.model import Model
from tests.support.model_rows import Document, Unknown


class Oracle:
    """The model of one tenant, and what its unknowns have turned out to be."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._model = Model()
        self._seen = Bindings()

    async def assert_agrees(self, asked: Sequence[Asked], ids: Sequence[UUID]) -> None:
        """Hold the next operations of the tenant, which are finished, and all that they left, against the model."""
        heard = len(self._model.events)
        views = await operations(self._database, self._tenant_id, ids)
        assert len(views) == len(asked)
        for one, view in zip(asked, views, strict=True):
            self._seen.bind(Unknown("at", str(view.id)), view.started_at)
            status, document = self._model.apply(one.command, str(view.id), dry_run=one.dry_run)
            self._assert_answered(view, status, document)
        state, events = (
            await state_of(self._database, self._tenant_id),
            await events_of(self._database, self._tenant_id),
        )
        self._seen.assert_same(self._model.state(), state)
        self._seen.assert_same(self._model.events[heard:], events[heard:])
        assert_sound(state, events)

    def _assert_answered(self, view: OperationView, status: str, document: Document) -> None:
        assert view.error is None
        assert view.status.value == status
        assert view.done == view.total == len(document["items"])
        self._seen.assert_same(document, _with_instants(view.response))


def assert_sound(state: Document, events: Sequence[Document]) -> None:
    """What holds whatever was asked: counts are right, nobody inactive holds anything, no event is missing."""
    rows, members = state["assignments"], state["members"]
    assert members == {(group, user) for group, user, _ in rows}
    people, assignments = Counter(group for group, _ in members), Counter(group for group, _, _ in rows)
    for key, group in state["groups"].items():
        assert (group["user_count"], group["assignment_count"]) == (people[key], assignments[key]), key
    assert all(state["users"][user]["active"] for _, user in members)
    last: dict[str, int] = {}
    for place, event in enumerate(events, start=1):
        assert event["sequence"] == place
        assert event["previous"] == last.get(event["type"], 0)
        last[event["type"]] = place


def _with_instants(document: Mapping[str, Any] | None) -> Document:
    assert document is not None
    items = [
        item | {"created_at": datetime.fromisoformat(item["created_at"])} if "created_at" in item else item
        for item in document["items"]
    ]
    return {**document, "items": items}
