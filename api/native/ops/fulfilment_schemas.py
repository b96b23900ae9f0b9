"""What operators are shown of groups, pools and those who wait, as models: what the OpenAPI document says of it.

One rule: these describe; a test holds the examples and the real answers against them.
"""

from typing import Literal

from pydantic import BaseModel, Field

from api.native.answers import Page


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
    position_beyond: int | None = Field(description="This many are before who has no `position`, and perhaps more.")
    asked_at: str
    sources: list[WaitingSource]


class WaitingPage(Page):
    """People who wait."""

    items: list[WaitingPerson]
