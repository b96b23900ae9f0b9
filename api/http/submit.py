"""The one way in for writes: a command becomes an operation, and its answer a response.

One rule: every write route of every door ends here; nobody else calls the intake.
"""

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import URL
from starlette.responses import Response

from api.errors.api_error import ApiError
from api.errors.languages import Languages
from api.http.context import RequestContext
from api.http.operation import Rendered, failure_code, operation_body, rendered
from api.http.preferences import Preferences, idempotency_key
from api.http.responses import empty_response, json_response
from api.intake import Answer, Submission
from domain.commands import Command
from domain.errors import JSON, ErrorCode
from infra.postgres.operations import Presentation

_RETRY_AFTER_SECONDS = 1


async def submit(
    context: RequestContext,
    command: Command,
    *,
    form: str,
    options: Mapping[str, JSON] | None = None,
    body: Any = None,
    dry_run: bool = False,
) -> Response:
    """Accept the command and answer as the form says, or 202 when the wait runs out.

    Args:
        context: whose command it is.
        command: what to do.
        form: the name of the renderer of its answer.
        options: what that renderer needs to know later of this request.
        body: the parsed body, for telling a repeated request from another one under the same Idempotency-Key.
        dry_run: answer as if, and change nothing.

    Raises:
        ApiError: the key is no key, or the operation failed; and whatever `Intake.submit` raises.
    """
    preferences = Preferences.of(context.request.headers)
    presentation = Presentation(form=form, language=context.languages.text, options=dict(options or {}))
    answer = await context.services.intake.submit(
        _submission(context, command, presentation, body=body, dry_run=dry_run),
        wait=preferences.limit(context.services.settings.wait),
    )
    structlog.contextvars.bind_contextvars(operation_id=str(answer.operation.id))
    return _response(context, answer, preferences)


def _submission(
    context: RequestContext, command: Command, presentation: Presentation, *, body: Any, dry_run: bool
) -> Submission:
    key = idempotency_key(context.request.headers)
    return Submission(
        tenant_id=context.tenant_id,
        command=command,
        presentation=presentation,
        # Only a key ever compares it.
        fingerprint=b"" if key is None else fingerprint(context.request.method, context.request.url, body),
        idempotency_key=key,
        dry_run=dry_run,
        request_id=context.request_id,
        traceparent=context.traceparent,
    )


def fingerprint(method: str, url: URL, body: Any) -> bytes:
    """What makes two requests the same: method, path, parameters in any order, and the body's value."""
    document = json.dumps(body, sort_keys=True, separators=(",", ":"))
    parts = (method, url.path, "&".join(sorted(url.query.split("&"))), document)
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _response(context: RequestContext, answer: Answer, preferences: Preferences) -> Response:
    view = answer.operation
    headers = {"Seatline-Operation": str(view.id)}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    # One that goes on in chunks is open, but has its answer already.
    is_unanswered = view.status.is_open and view.response is None
    applied = preferences.applied(accepted_only=is_unanswered)
    if applied:
        headers["Preference-Applied"] = applied
    if is_unanswered:
        headers |= {"Location": f"/v1/operations/{view.id}", "Retry-After": str(_RETRY_AFTER_SECONDS)}
        return json_response(operation_body(view, context.services.forms), 202, headers=headers)
    result = rendered(view, context.services.forms)
    if result is None:
        raise ApiError(failure_code(view) or ErrorCode.INTERNAL_ERROR, operation_id=view.id, headers=headers)
    headers["Content-Language"] = Languages.stored(view.presentation.language).spoken
    if result.body is None:
        return empty_response(result.status, headers=headers)
    return json_response(result.body, result.status, headers=headers, media_type=_media_type(context, result))


def _media_type(context: RequestContext, result: Rendered) -> str:
    """A refusal that the worker decided looks like one that the door decided."""
    if result.status < HTTPStatus.BAD_REQUEST:
        return "application/json"
    return context.services.family_of(context.request.url.path).media_type
