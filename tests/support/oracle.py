"""Runs the model beside the engine and holds one against the other: answers, state, events, and what must always be.

One rule: a tenant's operations are compared in accept order, however they were spread over passes. Those of a pass tell
their ends behind all else, so what they did and how they ended are two lists, each in that order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.columns import itemized
from domain.outcomes import outcomes_in
from infra.postgres.database import Database
from infra.postgres.operations import OperationView
from infra.postgres.statements import compile_block
from tests.support.engine import Asked, events_of, operations, state_of
from tests.support.invariants import assert_sound
from tests.support.matching import Bindings
from tests.support.model import Model
from tests.support.model_rows import Document, Unknown

_HELD_PAST_ITS_END = compile_block(
    "held_past_its_end",
    "SELECT key, used FROM license WHERE tenant_id = :tenant_id AND expires_at <= now() AND used > 0",
)
_END = "operation.finished"
_INSTANTS = {"created_at", "updated_at", "modified_at", "starts_at", "expires_at"}


class Oracle:
    """The model of one tenant, and what its unknowns have turned out to be."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._seen = Bindings()
        self._model = Model(self._seen.unknown)
        self._told, self._ended = 0, 0

    async def assert_agrees(self, asked: Sequence[Asked], ids: Sequence[UUID]) -> None:
        """Hold the next operations of the tenant, which are finished, and all that they left, against the model."""
        views = await operations(self._database, self._tenant_id, ids)
        assert len(views) == len(asked)
        events = await events_of(self._database, self._tenant_id)
        told = [event for event in events if event["type"] != _END]
        ends = [event for event in events if event["type"] == _END]
        for one, view in zip(asked, views, strict=True):
            self._assert_applied(one, view, told, ends)
        state = await state_of(self._database, self._tenant_id)
        self._seen.assert_same(self._model.state() | self._model.license_state(), state)
        assert (len(told), len(ends)) == (self._told, self._ended)
        over = {event["operation"]: event["sequence"] for event in ends}
        assert all(event["sequence"] < over[event["operation"]] for event in told)
        assert_sound(state, events)

    async def assert_dates_are_kept(self) -> None:
        """Nobody holds a seat of what has expired, now that all that was due has been done."""
        rows = await self._database.fetch(_HELD_PAST_ITS_END, tenant_id=self._tenant_id)
        assert [dict(row) for row in rows] == []

    def _assert_applied(
        self, one: Asked, view: OperationView, told: Sequence[Document], ends: Sequence[Document]
    ) -> None:
        """Each operation in its turn: what it says binds the numbers that the next ones name."""
        assert view.error is None, view.error
        heard = len(self._model.events)
        self._seen.bind(Unknown("at", str(view.id)), view.started_at)
        status, document = self._model.apply(
            one.command, str(view.id), dry_run=one.dry_run, at=view.started_at, chosen=chosen_key(view.response)
        )
        actual = _with_instants(itemized(view.response) | {"items": outcomes_in(view.response)})
        self._seen.assert_same({"command": one.command} | document, {"command": one.command} | actual)
        assert view.status.value == status
        assert view.done in {view.total, len(document["items"])}
        expected = [_anywhere(event) for event in self._model.events[heard:]]
        own = [event for event in expected if event["type"] != _END]
        end = [event for event in expected if event["type"] == _END]
        actual = [*told[self._told : self._told + len(own)], *ends[self._ended : self._ended + len(end)]]
        self._seen.assert_same([*own, *end], [_anywhere(event) for event in actual])
        self._told, self._ended = self._told + len(own), self._ended + len(end)


def _anywhere(event: Document) -> Document:
    """An event without its place, which depends on passes; assert_sound holds the places of all."""
    return {name: value for name, value in event.items() if name not in {"sequence", "previous"}}


def chosen_key(response: Mapping[str, Any] | None) -> str:
    """The key of a program licence that the engine has created, which is made of its id."""
    created = [item["license"] for item in (response or {}).get("items", ()) if item["outcome"] == "license"]
    return f"program-{created[0]['id']}" if created else ""


def _with_instants(document: Any) -> Any:
    """The answer with its instants read, wherever they stand."""
    match document:
        case Mapping():
            return {
                name: datetime.fromisoformat(value) if name in _INSTANTS and value else _with_instants(value)
                for name, value in document.items()
            }
        case list():
            return [_with_instants(one) for one in document]
    return document
