"""What the operators' room shows, as models: what the OpenAPI document says of it.

One rule: these describe; a test holds the examples and the real answers against them.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.native.answers import Page


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
    queue_depth: int | None = Field(description="Claims that no worker has taken yet; null where nobody knows.")


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


class NamedThing(BaseModel):
    """A group or licence."""

    id: int
    key: str
    name: str


class RunningWork(BaseModel):
    """What goes on in chunks; done and total are people."""

    operation_id: str
    done: int
    total: int


class GroupFulfilment(BaseModel):
    """A licence that a group was given."""

    tenant: str
    group: NamedThing
    license: NamedThing
    members: int
    assigned: int
    waiting: int
    suspended: int
    fulfilled: bool = Field(description="Every member holds a seat, and the licence has started.")
    running: RunningWork | None


class GroupFulfilmentPage(Page):
    """Licences of groups."""

    items: list[GroupFulfilment]


class Pool(BaseModel):
    """A licence and its seats."""

    tenant: str
    license: NamedThing
    kind: str
    capacity: int | None = Field(description="Null: without limit.")
    used: int
    reserved: int
    waiting: int
    utilisation: float | None = Field(description="Used and reserved of capacity; null where there is none.")
    active: bool
    expires_at: str | None


class PoolPage(Page):
    """Licences."""

    items: list[Pool]


class NamedKey(BaseModel):
    """A person, group or licence."""

    id: int
    key: str


class WaitingSource(BaseModel):
    """Why somebody waits."""

    type: Literal["direct", "group"]
    group: NamedKey | None = None
    since: str
    operation_id: str


class WaitingPerson(BaseModel):
    """Somebody who waits for a licence; `user` null is an address that is nobody's yet."""

    tenant: str
    license: NamedKey
    user: NamedKey | None
    state: str
    waiting_for: Literal["seat", "quota", "user", "license"] | None
    position: int | None = Field(description="Of who waits for a seat, as far as places are counted.")
    asked_at: str
    sources: list[WaitingSource]


class WaitingPage(Page):
    """People who wait."""

    items: list[WaitingPerson]


class TailPage(BaseModel):
    """Events in order; `next` is the `after` of the next page of one tenant's log, null where none was asked for."""

    events: list[dict[str, Any]]
    next: str | None
