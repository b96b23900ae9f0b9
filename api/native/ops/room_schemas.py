"""What the operators' room shows, as models: what the OpenAPI document says of it.

One rule: these describe; a test holds the examples and the real answers against them.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field


class OperationReference(BaseModel):
    """An operation of a tenant."""

    tenant: str
    id: str


class Queue(BaseModel):
    """What waits for a worker, and what goes on in chunks; null where the database does not answer."""

    depth: int | None = Field(description="Queued operations, counted up to 10,000.")
    depth_is_capped: bool = Field(description="True: there are more than were counted.")
    oldest_age_seconds: float | None = Field(description="Null: nothing is queued.")
    oldest: OperationReference | None
    running: int | None = Field(description="Operations that go on in chunks.")


class Rates(BaseModel):
    """Per second, over about the last ten seconds."""

    accepted: float | None
    applied: float | None
    events: float | None


class Times(BaseModel):
    """Milliseconds, over the last minute; null where nothing was timed."""

    p50: float | None
    p95: float | None
    p99: float | None


class Outbox(BaseModel):
    """Messages that are not published yet."""

    pending: int | None = Field(description="Counted up to 10,000.")
    lag_seconds: float | None = Field(description="The age of the oldest; 0: none.")


class WorkerCount(BaseModel):
    """Workers."""

    alive: int | None


class Connections(BaseModel):
    """The pool of the API process that answers."""

    in_use: int = 0
    idle: int = 0
    max: int


class DatabaseState(BaseModel):
    """The database, as the API process that answers sees it."""

    state: Literal["up", "down"]
    connections: Connections


class BrokerState(BaseModel):
    """The broker, as the API process that answers sees it; `none`: there is none in the settings."""

    state: Literal["up", "down", "none"]
    queue_depth: int | None = Field(
        description="Messages of claims that no worker has taken yet; null where nobody knows."
    )


class Overview(BaseModel):
    """The installation at a glance."""

    at: str
    queue: Queue
    rates: Rates
    accept_ms: Times
    apply_ms: Times = Field(description="From the commit that accepted to the one that applied.")
    outbox: Outbox
    waiting_seats: int | None = Field(description="Of all licences, a few seconds ago.")
    dead_letters: int | None
    unreadable: int | None = Field(description="Messages of the broker that nobody could read; null: nobody knows.")
    workers: WorkerCount
    database: DatabaseState
    broker: BrokerState


class HistoryPoint(BaseModel):
    """One step: rates per second, the worst of each sample; null where nothing is known."""

    at: str
    accepted: float | None
    applied: float | None
    events: float | None
    depth: int | None
    oldest_age_seconds: float | None
    accept_p95_ms: float | None
    apply_p95_ms: float | None
    outbox_lag_seconds: float | None
    waiting_seats: int | None
    dead_letters: int | None


class History(BaseModel):
    """The last minutes, the oldest step first."""

    step_seconds: int
    points: list[HistoryPoint]


class WorkingOperation(OperationReference):
    """An operation that a worker is applying."""

    kind: str


class WorkingChunk(WorkingOperation):
    """The chunk that a worker was at when it last told; `kind` is what goes on, done and total are people."""

    rows: int
    done: int
    total: int


class Doing(BaseModel):
    """What a worker is at."""

    operations: list[WorkingOperation] = Field(description="Of its present pass, 50 at most.")
    operation_count: int
    chunk: WorkingChunk | None


class WorkerItem(BaseModel):
    """A worker."""

    id: int
    name: str
    version: str
    started_at: str
    seen_at: str
    alive: bool = Field(description="Whether the session that holds its lock stands.")
    is_relay_leader: bool
    doing: Doing


class WorkerList(BaseModel):
    """All workers."""

    items: list[WorkerItem]


class TailPage(BaseModel):
    """Events in order: the newest, from which a stream goes on, or a page of one tenant's log."""

    events: list[dict[str, Any]]
    next: str | None = Field(description="The `after` of the next page of a tenant's log; null where none was read.")
    last_event_id: str | None = Field(
        description="The `Last-Event-ID` of a stream that misses nothing behind the newest; null in a tenant's log."
    )
