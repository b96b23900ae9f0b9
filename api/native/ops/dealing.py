"""Redrives and discards: what is meant is counted, and each tenant's part becomes an operation of that tenant.

One rule: counting, confirming, accepting and the audit entry are one transaction; the work is the workers'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from api.errors.api_error import ApiError
from api.http.context import RequestContext
from api.http.operation import failure_code
from api.http.preferences import Preferences, idempotency_key
from api.http.responses import json_response
from api.http.submit import fingerprint
from api.intake import Answer, IdempotencyKeyReusedError, IdempotencyKeyTakenError, Submission
from domain.audit import Action, AuditEntry
from domain.dead_letters import DeadLetterCommand, DeadLetterFilter, DiscardDeadLetters, RedriveDeadLetters
from domain.errors import JSON, ErrorCode
from domain.outcomes import OperationStatus
from infra.postgres.audit import write_audit
from infra.postgres.database import Reader, Transaction
from infra.postgres.operations import OperationView, Presentation
from infra.postgres.reads.dead_letters import Meant, count_meant, count_named
from infra.postgres.reads.found_operations import KeyHeld, listed_operations, places_by_key

_FORM = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an operator wants done. `reason` None redrives; `tenant_id` is part of the filter."""

    ids: tuple[UUID, ...] | None
    matching: DeadLetterFilter
    tenant_id: int | None
    tenant: str | None
    expected: int | None
    reason: str | None

    @property
    def word(self) -> str:
        """What will have been done."""
        return "redriven" if self.reason is None else "discarded"

    @property
    def details(self) -> dict[str, JSON]:
        """What the audit trail says of it."""
        details: dict[str, JSON] = {}
        if self.ids is not None:
            details["ids"] = [str(one) for one in self.ids]
        else:
            named: dict[str, JSON] = {} if self.tenant is None else {"tenant": self.tenant}
            details["filter"] = named | self.matching.document
        if self.reason is not None:
            details["reason"] = self.reason
        return details

    def command(self, part: Meant) -> DeadLetterCommand:
        """A tenant's part of it."""
        ids = None if part.ids is None else tuple(part.ids)
        if self.reason is None:
            return RedriveDeadLetters(ids=ids, matching=self.matching, matched=part.matched)
        return DiscardDeadLetters(reason=self.reason, ids=ids, matching=self.matching, matched=part.matched)


async def count(reader: Reader, asked: Asked) -> list[Meant]:
    """How many dead letters are meant, by tenant."""
    if asked.ids is not None:
        return await count_named(reader, asked.ids)
    return await count_meant(reader, tenant_id=asked.tenant_id, matching=asked.matching)


async def deal(context: RequestContext, asked: Asked, body: JSON) -> Response:
    """Have it done, and wait as for any write; `body` is the request's, which tells a repetition from another request.

    Raises:
        ApiError: DEAD_LETTERS_CHANGED; or the failure of an operation that was to do it.
        IdempotencyKeyReusedError: the key belongs to another request.
    """
    preferences = Preferences.of(context.request.headers)
    wait = preferences.limit(context.services.settings.wait)
    key = _own(idempotency_key(context.request.headers))
    digest = fingerprint(context.request.method, context.request.url, body)
    answers = await _replayed(context, key, digest, preferences)
    if answers is None:
        try:
            answers = await context.services.intake.submit_together(
                context.services.database,
                lambda tx: _prepare(tx, context, asked, key=key, digest=digest),
                wait=wait,
            )
        except IdempotencyKeyTakenError:  # somebody has just sent the same, and won
            answers = await _replayed(context, key, digest, preferences) or []
    return await _response(context, asked, answers, preferences)


def _own(key: str | None) -> str | None:
    """An operator's key among the tenant's own: no caller's key holds a space."""
    return None if key is None else f"operator {key}"


async def _replayed(
    context: RequestContext, key: str | None, digest: bytes, preferences: Preferences
) -> list[Answer] | None:
    if key is None:
        return None
    held: Sequence[KeyHeld] = await places_by_key(context.services.database, key)
    if not held:
        return None
    if any(one.fingerprint != digest for one in held):
        raise IdempotencyKeyReusedError
    wait = preferences.limit(context.services.settings.wait)
    return await context.services.intake.await_again([one.operation for one in held], wait=wait)


async def _prepare(
    tx: Transaction, context: RequestContext, asked: Asked, *, key: str | None, digest: bytes
) -> list[Submission]:
    parts = await count(tx, asked)
    matched = sum(part.matched for part in parts)
    if asked.expected is not None and asked.expected != matched:
        facts: dict[str, JSON] = {"matched": matched, "expected": asked.expected}
        raise ApiError(ErrorCode.DEAD_LETTERS_CHANGED, details=facts)
    if parts:
        entry = AuditEntry(
            actor=context.caller.actor,
            action=Action.REDRIVE if asked.reason is None else Action.DISCARD,
            subject="dead-letters",
            tenant_id=parts[0].tenant_id if len(parts) == 1 else None,
            details={**asked.details, "matched": matched},
        )
        await write_audit(tx, entry)
    return [
        Submission(
            tenant_id=part.tenant_id,
            command=asked.command(part),
            presentation=Presentation(form=_FORM),
            fingerprint=digest,
            idempotency_key=key,
            request_id=context.request_id,
            traceparent=context.traceparent,
        )
        for part in parts
    ]


async def _response(
    context: RequestContext, asked: Asked, answers: Sequence[Answer], preferences: Preferences
) -> Response:
    views = [answer.operation for answer in answers]
    listed = await listed_operations(context.services.database, [(view.tenant_id, view.id) for view in views])
    body: dict[str, JSON] = {
        "matched": sum(view.request["matched"] for view in views),
        "operations": [{"tenant": found.tenant, "id": str(found.id)} for found in listed],
    }
    is_open = any(view.status.is_open for view in views)
    headers = {"Seatline-Operation": str(views[0].id)} if len(views) == 1 else {}
    if any(answer.replayed for answer in answers):
        headers["Idempotency-Replayed"] = "true"
    if applied := preferences.applied(accepted_only=is_open):
        headers["Preference-Applied"] = applied
    if is_open:
        if len(views) == 1:
            headers["Location"] = f"/v1/ops/operations/{views[0].id}"
        return json_response(body, HTTPStatus.ACCEPTED, headers={**headers, "Retry-After": "1"})
    failed = next((view for view in views if view.status is not OperationStatus.SUCCEEDED), None)
    if failed is not None:
        code = failure_code(failed) or ErrorCode.INTERNAL_ERROR
        raise ApiError(code, operation_id=failed.id, headers=headers)
    return json_response({**body, asked.word: sum(map(_done, views))}, headers=headers)


def _done(view: OperationView) -> int:
    """How many dead letters an operation that has ended dealt with: those of its first step, or of all."""
    first: int = (view.response or {})["items"][0]["count"]
    return max(first, view.done) if first else 0
