"""The bodies that operators send and are answered with, as models: what the OpenAPI document says of them.

One rule: as in api/native/answers.py, these describe; a test holds the examples against them.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.documents.bodies import Moment, OperationError, Progress, StoredAnswer
from api.http.bodies import BodyModel
from api.native.answers import Page
from domain.dead_letters import LONGEST_REASON, MOST_IDS
from domain.outcomes import OperationStatus

MOST_UNREADABLE = 10_000
"""As many as the queue keeps."""


class TokenHolder(BaseModel):
    """Whoever holds an operator's token."""

    token_id: str
    name: str


class AuditEntry(BaseModel):
    """One thing that was done."""

    id: int
    at: str
    actor: TokenHolder | Literal["command line"]
    action: str
    tenant: str | None = Field(description="The tenant's key; null where it concerns the service.")
    subject: str
    details: dict[str, Any]


class AuditPage(Page):
    """Entries of the audit trail."""

    items: list[AuditEntry]


class FoundOperation(BaseModel):
    """An operation of any tenant, without its request and its answer."""

    id: str
    tenant: str = Field(description="The tenant's key.")
    kind: str
    status: OperationStatus
    dry_run: bool
    attempts: int
    progress: Progress
    error: OperationError | None = Field(description="Why it failed, in the words of the log.")
    accepted_at: str
    started_at: str | None
    finished_at: str | None
    discarded_at: str | None
    discard_reason: str | None
    request_id: str | None
    idempotency_key: str | None
    superseded_by: str | None


class FoundOperationPage(Page):
    """Operations, newest first."""

    items: list[FoundOperation]
    scanned_until: str | None = Field(description="How far back was looked, where more may follow.")


class ShownOutcomes(BaseModel):
    """What became of the items."""

    succeeded: int
    refused: int
    outcomes: list[dict[str, Any]] = Field(description="As they are stored, each with its `position`.")
    next: int | None = Field(description="The `outcomes_after` of the next ones.")


class WrittenEvents(BaseModel):
    """What was told of it, by places in the tenant's log of events."""

    written: int
    published: int
    first_sequence: str | None
    last_sequence: str | None


class WholeOperation(FoundOperation):
    """An operation with everything but its request."""

    fingerprint: str | None = Field(description="Its error, where it failed.")
    timeline: list[Moment]
    response: StoredAnswer | None
    items: ShownOutcomes
    events: WrittenEvents
    request: Literal["redacted"]


class ReadRequest(BaseModel):
    """What an operation was asked to do, with an object for each item."""

    request: dict[str, Any]


class SampleOperation(BaseModel):
    """One of the dead letters."""

    tenant: str
    operation_id: str


class ErrorGroup(BaseModel):
    """What failed alike."""

    fingerprint: str
    code: str
    message: str = Field(description="The first line of one of the messages.")
    kind: str
    count: int
    first_seen: str
    last_seen: str
    sample: SampleOperation | None


class ErrorGroupPage(Page):
    """Errors; `total` counts dead letters."""

    items: list[ErrorGroup]
    total: int


class DeadLetter(FoundOperation):
    """An operation that failed and was neither redriven nor discarded."""

    fingerprint: str


class DeadLetterPage(Page):
    """Dead letters, newest first."""

    items: list[DeadLetter]


class FilterBody(BodyModel):
    """Which dead letters are meant; what is absent asks nothing."""

    tenant: str | None = None
    fingerprint: str | None = None
    code: str | None = None
    kind: str | None = None
    since: str | None = Field(default=None, description="That failed at this instant or later.")
    until: str | None = Field(default=None, description="That failed before this instant.")


class RedriveBody(BodyModel):
    """Which dead letters; exactly one of `ids` and `filter`."""

    ids: list[str] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    filter: FilterBody | None = None
    expected: int | None = Field(default=None, ge=0, description="Refused where another number matches.")


class DiscardBody(RedriveBody):
    """Which dead letters, and why they are given up."""

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class TenantOperation(BaseModel):
    """An operation by its tenant's key and its id."""

    tenant: str
    id: str


class BeingDealtWith(BaseModel):
    """How many match, and the operations that deal with them, one of each tenant."""

    matched: int
    operations: list[TenantOperation]


class Redriven(BaseModel):
    """How many match and how many were redriven; with `dry_run=true` only how many match."""

    matched: int
    redriven: int | None = None
    operations: list[TenantOperation] | None = None


class Discarded(BaseModel):
    """How many match and how many were discarded; with `dry_run=true` only how many match."""

    matched: int
    discarded: int | None = None
    operations: list[TenantOperation] | None = None


class UnreadableMessage(BaseModel):
    """A message of the broker that no worker could read."""

    position: int
    received_at: str | None
    reason: str | None
    headers: dict[str, str]
    body: str = Field(description="The first 4 KiB.")
    encoding: Literal["text", "base64"]
    size: int


class UnreadableMessages(BaseModel):
    """The first of them, and about how many there are (null where the broker does not answer)."""

    items: list[UnreadableMessage]
    total: int | None
    broker: Literal["up", "down", "none"]


class UnreadableBody(BodyModel):
    """How many are thrown away, from the first on (absent: all that are there), and why."""

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    count: int | None = Field(default=None, ge=1, le=MOST_UNREADABLE)


class UnreadableDiscarded(BaseModel):
    """How many were thrown away."""

    discarded: int
