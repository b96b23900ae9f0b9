"""The headers of every answer: which of them a status of a route carries, always or sometimes.

One rule: whatever the API puts into a header is written here; a test compares it with what is sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


def _header(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


_SECONDS = r"^[1-9][0-9]*$"
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header(
        "Names the request in logs: the caller's own, or one that was made.", "import-2025-11-21.7"
    ),
    "X-Content-Type-Options": _header("The body is what its type says.", "nosniff", const="nosniff"),
    "Cache-Control": _header("What is shown belongs to one caller.", "no-store", const="no-store"),
    "Content-Language": _header("The language of the texts.", "de", pattern=r"^[a-z]{2}$"),
    "Seatline-Operation": _header(
        "The operation that the write is.", "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a", pattern=_UUID
    ),
    "Idempotency-Replayed": _header("A call with this key was answered before.", "true", const="true"),
    "Preference-Applied": _header("What of `Prefer` took effect (RFC 7240).", "wait=5"),
    "Location": _header("Where the operation is read.", "/v1/operations/01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"),
    "Retry-After": _header("In how many seconds to look or to try again.", "2", pattern=_SECONDS),
    "WWW-Authenticate": _header("Which credentials are taken.", 'Bearer realm="seatline"'),
    "X-Accel-Buffering": _header("Of a stream: no proxy may hold it back.", "no", const="no"),
    "RateLimit": _header(
        "What is left of the tenant's minute; absent where requests are not limited.", '"tenant";r=599;t=60'
    ),
    "RateLimit-Policy": _header("How many requests a tenant may send; absent as above.", '"tenant";q=600;w=60'),
}
_SOMETIMES = "sometimes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What decides which headers a route's answers have."""

    is_write: bool
    is_open: bool
    is_operators: bool
    is_localised: bool
    is_streamed: bool

    def headers(self, status: int, *, has_body: bool) -> dict[str, Any]:
        """The headers of its answers with this status, as references; see `components`."""
        always = {"X-Request-Id", "X-Content-Type-Options", *self._always(status)}
        if has_body:
            always.add("Cache-Control")
        return {
            name: {"$ref": f"#/components/headers/{name if name in always else f'{name}-{_SOMETIMES}'}"}
            for name in _HEADERS
            if name in always or name in set(self._sometimes(status))
        }

    def _always(self, status: int) -> Iterator[str]:
        is_refused = status >= HTTPStatus.BAD_REQUEST
        if status in {HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            yield "Retry-After"
        if status == HTTPStatus.UNAUTHORIZED:
            yield "WWW-Authenticate"
        if status == HTTPStatus.ACCEPTED:
            yield "Preference-Applied"
        if self.is_localised or (is_refused and not self.is_open):
            yield "Content-Language"
        # What operators ask for may be several operations, or none.
        if self.is_write and not self.is_operators and not is_refused:
            yield "Seatline-Operation"
            yield "Location" if status == HTTPStatus.ACCEPTED else "Content-Language"

    def _sometimes(self, status: int) -> Iterator[str]:
        if self.is_streamed and status < HTTPStatus.BAD_REQUEST:
            yield "X-Accel-Buffering"
        if self.is_write:
            yield from ("Seatline-Operation", "Idempotency-Replayed", "Preference-Applied")
            if status == HTTPStatus.ACCEPTED:
                yield "Location"
        if not (self.is_open or self.is_operators or status == HTTPStatus.UNAUTHORIZED):
            yield from ("RateLimit", "RateLimit-Policy")


def components() -> dict[str, Any]:
    """Each header twice: as it always is, and as it sometimes is."""
    return {
        f"{name}{suffix}": {**header, "required": required}
        for name, header in _HEADERS.items()
        for suffix, required in (("", True), (f"-{_SOMETIMES}", False))
    }
