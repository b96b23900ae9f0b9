"""Claims: the wake-ups from whoever accepted an operation to the workers.

One rule: this is the only place that knows the wire format of claims.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

REASON = "x-seatline-reason"
"""The header that says why a message could not be read."""

TOGETHER = 64
"""Claims in one message at most: no more, because one worker takes them all."""

_VERSION = 1
# The claims beyond the first: a worker of an earlier release leaves them aside, and its poll finds their tenants.
_MORE = "also"
# A tenant's id is a bigint. A number that Postgres cannot take would fail every pass of a worker that believed it.
_TENANT_IDS = range(1, 2**63)


class UnreadableClaimError(ValueError):
    """A message on the claims queue that is no claim of a version known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The tenant that has something to do, and the operation that was accepted. Never the payload."""

    tenant_id: int
    operation_id: UUID
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredClaim:
    """A claim and its acknowledgement, which may be called late, twice and in any order."""

    claim: Claim
    ack: Callable[[], None]


def encode_claims(claims: Sequence[Claim]) -> Message:
    """The persistent message of these claims, one or more."""
    first, *others = [_fields(claim) for claim in claims]
    body = {"v": _VERSION, **first} | ({_MORE: others} if others else {})
    return Message(
        json.dumps(body, separators=(",", ":")).encode(),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        type="seatline.claim",
    )


def decode_claims(body: bytes) -> list[Claim]:
    """Read the claims of a message; fields that are not known are left aside.

    Raises:
        UnreadableClaimError: it is not JSON, of another version, or one of its claims lacks a field.
    """
    try:
        fields = json.loads(body)
        if fields["v"] != _VERSION:
            raise UnreadableClaimError(f"version {fields['v']!r}")
        return [_claim(one) for one in (fields, *_list(fields.get(_MORE, [])))]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableClaimError(repr(error)) from error


def unreadable_copy(message: AbstractIncomingMessage, reason: str) -> Message:
    """What is kept of a message that could not be decoded: its bytes, and why."""
    return Message(
        message.body,
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={REASON: reason[:500]},
        timestamp=datetime.now(UTC),
    )


def _fields(claim: Claim) -> dict[str, object]:
    return {
        "tenant_id": claim.tenant_id,
        "operation_id": str(claim.operation_id),
        "request_id": claim.request_id,
        "traceparent": claim.traceparent,
    }


def _claim(fields: dict[str, object]) -> Claim:
    return Claim(
        tenant_id=_tenant_id(fields["tenant_id"]),
        operation_id=_uuid(fields["operation_id"]),
        request_id=_text(fields.get("request_id")),
        traceparent=_text(fields.get("traceparent")),
    )


def _list(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError(f"{_MORE} is not a list")
    return value


def _tenant_id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _TENANT_IDS:
        raise TypeError("tenant_id is not a tenant's id")
    return value


def _uuid(value: object) -> UUID:
    if not isinstance(value, str):
        raise TypeError("not an id")
    return UUID(value)


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("not a string")
    return value
