"""Bodies that described routes share: how one is shown, and the operation that every 202 holds."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from domain.errors import JSON
from domain.outcomes import OperationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A body by its model and an example; model None: the body is empty."""

    model: type[BaseModel] | None
    example: JSON = None
    description: str = ""


class Progress(BaseModel):
    """How far the operation is; items, or members of a group."""

    done: int
    total: int


class StoredAnswer(BaseModel):
    """The answer of a finished operation, as the call itself gave or would have given it."""

    status: int
    body: object


class Moment(BaseModel):
    """One step of the operation's life."""

    at: str
    event: str


class OperationError(BaseModel):
    """Why an operation failed."""

    code: str
    message: str


class OperationBody(BaseModel):
    """An operation: the body of a 202 and of GET /v1/operations/{id}."""

    id: str
    kind: str
    status: OperationStatus
    progress: Progress
    response: StoredAnswer | None = Field(description="Null while the operation is open, and when it failed.")
    timeline: list[Moment]
    error: OperationError | None = Field(default=None, description="Absent where nothing failed.")
    dry_run: Literal[True] | None = Field(default=None, description="Present where nothing was to change.")
    superseded_by: str | None = Field(
        default=None, description="The later operation that took over this one's work, or some of it."
    )


OPERATION_EXAMPLE: JSON = {
    "id": "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a",
    "kind": "group_assignments.change",
    "status": "queued",
    "progress": {"done": 0, "total": 100},
    "response": None,
    "timeline": [{"at": "2025-11-21T09:30:00.000000Z", "event": "accepted"}],
}

ACCEPTED = Shown(
    model=OperationBody,
    example=OPERATION_EXAMPLE,
    description="Accepted, not yet applied: `Location` names the operation, `Retry-After` when to look.",
)
