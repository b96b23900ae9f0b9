"""Request headers and refusals that described routes share."""

from typing import Any

from domain.errors import ErrorCode


def _header(name: str, description: str, example: str | None = None, **schema: Any) -> dict[str, Any]:
    header = {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }
    return header if example is None else {**header, "example": example}


READ_HEADERS = (
    _header(
        "Accept-Language", "The preferred language of localised texts: de-CH falls back to de, then to en.", "de-CH, en"
    ),
    _header(
        "X-Request-Id",
        "Names the request in answers and logs: 1 to 128 of A to Z, a to z, 0 to 9, `.`, `_`, `-`. "
        "One is made where none is sent, or another one.",
        "import-2025-11-21.7",
    ),
)
WRITE_HEADERS = (
    *READ_HEADERS,
    _header("Prefer", "`respond-async`: answer 202 at once. `wait=N`: wait at most N seconds, 0 to 60.", "wait=5"),
    # No example: sent with one request, it would be refused with every other.
    _header(
        "Idempotency-Key",
        "The same key with the same request is the same operation and the same answer.",
        pattern="^[!-~]{1,255}$",
    ),
)
LAST_EVENT_ID = _header(
    "Last-Event-ID", "With `Accept: text/event-stream`: the `id` of the last event that the caller has."
)
COMMON_REFUSALS = (
    ErrorCode.INVALID_PARAMETER,
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.TOO_MANY_REQUESTS,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.DATABASE_UNAVAILABLE,
)
WRITE_REFUSALS = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.IDEMPOTENCY_KEY_INVALID,
    ErrorCode.BODY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.IDEMPOTENCY_KEY_REUSED,
    ErrorCode.TOO_MANY_OPEN_OPERATIONS,
    ErrorCode.ACCEPTANCE_UNKNOWN,
    ErrorCode.OPERATION_CANCELLED,
    ErrorCode.OPERATION_RAISED,
    ErrorCode.OPERATION_KILLED_WORKER,
    ErrorCode.OPERATION_TIMED_OUT,
    ErrorCode.OPERATION_UNREADABLE,
)
