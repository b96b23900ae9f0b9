"""An operation as callers see it: the body of a 202 and of GET /v1/operations/{id}, and the answer it ended with.

One rule: an answer is rendered from the stored row alone, so that it is the same every time it is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.errors.languages import Languages
from api.errors.texts import message
from domain.errors import JSON, ErrorCode
from domain.outcomes import OperationStatus, timestamp
from infra.postgres.operations import OperationView


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer: `body` None is an empty body."""

    status: int
    body: JSON


_CODES = frozenset(code.value for code in ErrorCode)

Renderer = Callable[[OperationView], Rendered]
Forms = Mapping[str, Renderer]
"""The renderers by the name that stands in `Presentation.form`. Each is given operations with a response."""


def rendered(view: OperationView, forms: Forms) -> Rendered | None:
    """The answer of the operation; None where it has none yet, when it failed, or when its door is gone.

    One that goes on in chunks has its answer from the first of them on.
    """
    renderer = forms.get(view.presentation.form)
    if renderer is None or view.response is None:
        return None
    return renderer(view)


def operation_body(view: OperationView, forms: Forms) -> dict[str, JSON]:
    """The operation's representation; `error` is absent where nothing failed."""
    answer = rendered(view, forms)
    body: dict[str, JSON] = {
        "id": str(view.id),
        "kind": view.kind,
        "status": view.status.value,
        "progress": {"done": view.done, "total": view.total},
        "response": None if answer is None else {"status": answer.status, "body": answer.body},
        "timeline": _timeline(view),
    }
    if view.dry_run:
        body["dry_run"] = True
    if view.superseded_by is not None:
        body["superseded_by"] = str(view.superseded_by)
    code = failure_code(view)
    if code is not None:
        # The stored text is for operators: it may quote what the operation was about.
        language = Languages.stored(view.presentation.language).spoken
        body["error"] = {"code": code.value, "message": message(code, language)}
    return body


def failure_code(view: OperationView) -> ErrorCode | None:
    """Why the operation was not carried out; None where it was, or may be yet."""
    if view.status is OperationStatus.CANCELLED:
        return ErrorCode.OPERATION_CANCELLED
    if view.status is not OperationStatus.FAILED:
        return None
    code = str((view.error or {}).get("code"))
    return ErrorCode(code) if code in _CODES else ErrorCode.INTERNAL_ERROR


def _timeline(view: OperationView) -> list[JSON]:
    moments = [
        ("accepted", view.accepted_at),
        ("started", view.started_at),
        (view.status.value, view.finished_at),
    ]
    return [{"at": timestamp(at), "event": event} for event, at in moments if at is not None]
