"""The parameters of what operators ask for; what is out of range is refused, never clamped."""

from typing import Literal

from pydantic import Field

from api.http.parameters import ReadQuery, Text, Whole
from api.native.queries import LONGEST_PAGE, MOST_EVENTS, EventTypeName, Sequence

MINUTES_OF_A_DAY = 1_440


class HistoryQuery(ReadQuery):
    """How far back."""

    minutes: Whole = Field(default=60, ge=1, le=MINUTES_OF_A_DAY, description="How many minutes, up to a day.")


class TailQuery(ReadQuery):
    """Which events."""

    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")
    types: list[EventTypeName] = Field(default=[], description="Only these, such as `group.updated`.")
    after: Sequence | None = Field(default=None, description="Those after this sequence of the tenant's log.")
    limit: Whole = Field(default=50, ge=1, le=MOST_EVENTS, description="How many events at most.")


class RoomListQuery(ReadQuery):
    """A page of a list across tenants, or of one."""

    tenant: Text | None = Field(default=None, description="Of the tenant with this key.")
    cursor: Text | None = Field(default=None, description="The `next_cursor` of the page before.")
    limit: Whole = Field(default=50, ge=1, le=LONGEST_PAGE, description="How many items a page holds at most.")


class GroupFulfilmentQuery(RoomListQuery):
    """Which groups' licences."""

    state: Literal["running", "waiting", "fulfilled"] | None = Field(
        default=None, description="Work goes on; members wait; or every member holds a seat."
    )


class WaitingQuery(RoomListQuery):
    """Who waits."""

    license: Text | None = Field(default=None, description="For the licence with this key; needs a tenant.")
