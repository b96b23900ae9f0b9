"""The public API as the command line calls it: a bearer token, JSON, and patience with a service that is starting."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

PATIENCE_SECONDS = 90.0
GLANCE = 0.1
LONGEST_PAUSE = 5.0
OPEN = frozenset({"queued", "running"})
RETRIED = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY})

JsonDocument = dict[str, Any]


class CallError(Exception):
    """A call did not succeed; the message says which, and what was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer: status, body, the operation that made it, and whether it was made for an earlier, equal request."""

    status: int
    body: JsonDocument
    operation: UUID | None
    replayed: bool = False
    retry_after: float = GLANCE


class PublicApi:
    """Calls with one token. `look` runs while waiting and may raise to give up."""

    def __init__(self, *, url: str, token: str, look: Callable[[], None]) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=70.0, trust_env=False
        )
        self._look = look

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
    ) -> Answered:
        """One call, repeated while the service is starting; a write that ran out of its wait is followed to its end.

        Without `follow` a 202 is an answer as any other: operators' calls have a form of their own for it.

        Raises:
            CallError: nobody answered in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._look()
            answer = self._try(method, path, body, headers)
            if answer is not None and answer.status == HTTPStatus.ACCEPTED and follow:
                return self._follow(answer, deadline)
            if answer is not None and answer.status not in RETRIED:
                return answer
            if time.monotonic() > deadline:
                raise CallError(f"{method} {path}: " + ("no answer" if answer is None else f"still {answer.status}"))
            time.sleep(GLANCE if answer is None else answer.retry_after)

    def get(self, path: str) -> JsonDocument:
        """The body of a GET that must succeed.

        Raises:
            CallError: it did not.
        """
        answer = self.call("GET", path)
        if answer.status != HTTPStatus.OK:
            raise CallError(f"GET {path}: {answer.status} {answer.body}")
        return answer.body

    def batch(
        self, method: str, path: str, items: Sequence[object], headers: Mapping[str, str] | None = None
    ) -> Answered:
        """A batch that must be accepted; its items may have been refused.

        Raises:
            CallError: the batch as a whole was refused.
        """
        answer = self.call(method, path, {"items": list(items)}, headers)
        if answer.status != HTTPStatus.OK:
            raise CallError(f"{method} {path}: {answer.status} {answer.body}")
        return answer

    def _try(self, method: str, path: str, body: object | None, headers: Mapping[str, str] | None) -> Answered | None:
        try:
            response = self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return None
        operation = response.headers.get("Seatline-Operation")
        return Answered(
            status=response.status_code,
            body=_document(response),
            operation=UUID(operation) if operation else None,
            replayed="Idempotency-Replayed" in response.headers,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )

    def _follow(self, accepted: Answered, deadline: float) -> Answered:
        path = f"/v1/operations/{accepted.operation}"
        while time.monotonic() < deadline:
            self._look()
            answer = self._try("GET", path, None, None)
            if answer is not None and answer.status == HTTPStatus.OK and answer.body["status"] not in OPEN:
                response = answer.body["response"]
                if response is None:
                    raise CallError(f"operation {accepted.operation} {answer.body['status']}")
                return Answered(
                    status=response["status"],
                    body=response["body"] or {},
                    operation=accepted.operation,
                    replayed=accepted.replayed,
                )
            time.sleep(GLANCE)
        raise CallError(f"operation {accepted.operation} did not end in time")


def _seconds(retry_after: str | None) -> float:
    """A few seconds at most: who waits also looks whether to give up."""
    return min(float(retry_after), LONGEST_PAUSE) if retry_after and retry_after.isdigit() else GLANCE


def _document(response: httpx.Response) -> JsonDocument:
    try:
        body = response.json()
    except ValueError:
        return {"text": response.text}
    return body if isinstance(body, dict) else {"body": body}
