"""Operations, dead letters and errors as operators see them. Pure.

One rule: a thing of a tenant is named with the tenant's key, and a request is never in it.
"""

from collections.abc import Iterator
from datetime import datetime

from api.http.operation import Forms, rendered
from domain.errors import JSON
from domain.outcomes import OperationStatus, outcomes_in, timestamp
from infra.cloudevents import SEQUENCE_DIGITS
from infra.postgres.operations import OperationView
from infra.postgres.reads.dead_letters import ErrorCount
from infra.postgres.reads.found_operations import FoundOperation
from infra.postgres.reads.told import Told, WrittenEvents

_APPLIED = frozenset(
    {OperationStatus.SUCCEEDED, OperationStatus.PARTIALLY_SUCCEEDED, OperationStatus.REJECTED, OperationStatus.RUNNING}
)
# Two moments at the same instant stand in this order.
_ORDER = ("accepted", "cancel_requested", "claimed", "applied", "failed", "cancelled", "finished", "redriven")


def found_operation(found: FoundOperation) -> dict[str, JSON]:
    """An operation as lists have it."""
    error: JSON = None
    if found.code is not None:
        error = {"code": found.code, "message": found.message}
    return {
        "id": str(found.id),
        "tenant": found.tenant,
        "kind": found.kind,
        "status": found.status.value,
        "dry_run": found.dry_run,
        "attempts": found.attempts,
        "progress": {"done": found.done, "total": found.total},
        "error": error,
        "accepted_at": timestamp(found.accepted_at),
        "started_at": _instant(found.started_at),
        "finished_at": _instant(found.finished_at),
        "discarded_at": _instant(found.discarded_at),
        "discard_reason": found.discard_reason,
        "request_id": found.request_id,
        "idempotency_key": found.idempotency_key,
        "superseded_by": None if found.superseded_by is None else str(found.superseded_by),
    }


def dead_letter(found: FoundOperation) -> dict[str, JSON]:
    """A dead letter: an operation, and the error that it has in common with others."""
    return {**found_operation(found), "fingerprint": found.error_group}


def error_count(error: ErrorCount) -> dict[str, JSON]:
    """An error with how many dead letters have it."""
    sample: JSON = None
    if error.sample_id is not None:
        sample = {"tenant": error.sample_tenant, "operation_id": str(error.sample_id)}
    return {
        "fingerprint": error.fingerprint,
        "code": error.code,
        "message": error.message,
        "kind": error.kind,
        "count": error.count,
        "first_seen": timestamp(error.first_seen),
        "last_seen": timestamp(error.last_seen),
        "sample": sample,
    }


def whole_operation(
    found: FoundOperation, view: OperationView, told: Told, forms: Forms, *, after: int, limit: int
) -> dict[str, JSON]:
    """An operation with its answer, its outcomes, its moments and its events, but without its request."""
    answer = rendered(view, forms)
    return {
        **found_operation(found),
        "fingerprint": found.error_group,
        "timeline": [*_timeline(found, told)],
        "response": None if answer is None else {"status": answer.status, "body": answer.body},
        "items": _outcomes(view, after, limit),
        "events": _events(told.events),
        "request": "redacted",
    }


def _outcomes(view: OperationView, after: int, limit: int) -> dict[str, JSON]:
    outcomes = outcomes_in(view.response) if view.response else []
    refused = sum(one["outcome"] == "refused" for one in outcomes)
    shown = outcomes[after : after + limit]
    more = after + len(shown) < len(outcomes)
    return {
        "succeeded": len(outcomes) - refused,
        "refused": refused,
        "outcomes": [{"position": after + place, **one} for place, one in enumerate(shown)],
        "next": after + len(shown) if more else None,
    }


def _events(events: WrittenEvents) -> dict[str, JSON]:
    first, last = events.first_sequence, events.last_sequence
    return {
        "written": events.written,
        "published": events.published,
        "first_sequence": _sequence(first),
        "last_sequence": _sequence(last),
    }


def _timeline(found: FoundOperation, told: Told) -> list[JSON]:
    moments = sorted(_moments(found, told), key=lambda moment: (moment[0], _rank(moment[1])))
    return [{"at": timestamp(at), "event": event, **more} for at, event, more in moments]


def _moments(found: FoundOperation, told: Told) -> Iterator[tuple[datetime, str, dict[str, JSON]]]:
    yield found.accepted_at, "accepted", {}
    for moment in told.history:
        if moment.get("at") is not None:
            more = {name: value for name, value in moment.items() if name not in {"at", "event"}}
            yield datetime.fromisoformat(moment["at"]), moment["event"], more
    applied_at = None
    if found.status in _APPLIED:
        applied_at = found.finished_at if found.status is not OperationStatus.RUNNING else found.started_at
    last = _END.get(found.status, "finished")
    for at, event in (
        (told.cancel_requested_at, "cancel_requested"),
        (found.started_at, "claimed"),
        (applied_at, "applied"),
        (told.events.published_at if told.events.all_published else None, "events_sent"),
        (found.finished_at, last),
        (found.discarded_at, "discarded"),
    ):
        if at is not None:
            yield at, event, {}


_END = {OperationStatus.FAILED: "failed", OperationStatus.CANCELLED: "cancelled"}


def _rank(event: str) -> int:
    return _ORDER.index(event) if event in _ORDER else len(_ORDER)


def _sequence(number: int | None) -> JSON:
    """As /v1/events writes it."""
    return None if number is None else f"{number:0{SEQUENCE_DIGITS}d}"


def _instant(at: datetime | None) -> JSON:
    return None if at is None else timestamp(at)
