"""The parameters of the catalogue API's program licences.

One rule: a write takes the parameters that its page lists, all optional; what they filter by must be what it does.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.dialects.catalog.schemas import LARGEST_ID
from api.http.parameters import LARGEST, Flag, QueryModel, ReadQuery, Text, Whole, WriteQuery

MOST_RESULTS = 100
"""How many results a page may hold."""


class Sort(StrEnum):
    """How a list may be sorted."""

    ID = "id"
    ID_DESCENDING = "-id"
    CREATED = "created"
    CREATED_DESCENDING = "-created"

    @property
    def is_descending(self) -> bool:
        """Newest first: ids are given in the order of creation, so both fields sort alike."""
        return self.value.startswith("-")


def _id(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("not_integer", "digits only")
    if len(value) > len(str(LARGEST_ID)) or int(value) > LARGEST_ID:
        raise PydanticCustomError("too_large", "too large", {"limit": LARGEST_ID})
    return int(value)


Id = Annotated[int, BeforeValidator(_id)]
Active = Annotated[Flag | None, Field(description="Only those that are, or are not, active.")]
Fulfilled = Annotated[Flag | None, Field(description="Only those that are, or are not, fulfilled.")]
DryRun = Annotated[Flag, Field(description="Answer as if, and change nothing.")]


class Platform(QueryModel):
    """Parameters that may say whose it is."""

    platform_key: str | None = Field(default=None, description="The tenant's own key, or absent.")
    platform_org: str | None = Field(default=None, description="The tenant's own organisation, or absent.")


class Paged(Platform):
    """Which page of a list, in which order."""

    page: Whole = Field(default=1, ge=1, le=LARGEST, description="The page, from 1.")
    page_size: Whole = Field(default=25, ge=1, le=MOST_RESULTS, description="Results per page.")
    sort: Sort = Field(default=Sort.ID, description="With `-` in front, the newest first.")


class LicenseList(Paged, ReadQuery):
    """Parameters of the tenant's program licences."""

    sort: Sort = Field(default=Sort.ID_DESCENDING, description="With `-` in front, the newest first.")
    active: Active = None
    external_id: Text | None = Field(default=None, description="Only the licence with this external id.")
    name: Text | None = Field(default=None, description="Only licences with exactly this name.")
    program_id: Id | None = Field(default=None, description="Only licences of this program.")
    query: Text | None = Field(default=None, description="Only licences whose name contains this, without case.")
    source: Text | None = Field(default=None, description="Only licences with exactly this source.")
    verbose: Flag = Field(default=False, description="Show how many assignments each licence has.")


class UserAssignmentFilters(Paged):
    """What the assignments of people may be filtered by."""

    active: Active = None
    email: Text | None = Field(default=None, description="Only those of this e-mail address, without case.")
    fulfilled: Fulfilled = None
    user_id: Id | None = Field(default=None, description="Only those of this user.")


class UserAssignmentList(UserAssignmentFilters, ReadQuery):
    """Parameters of a licence's assignments."""

    license_id: Id = Field(description="The program licence.")


class UserAssignmentWrite(UserAssignmentFilters, WriteQuery):
    """Parameters of assigning a licence; what the body says as well must be the same there."""

    license_id: Id | None = Field(default=None, description="The program licence.")


class GroupAssignmentFilters(Paged):
    """What the assignments of groups may be filtered by."""

    active: Active = None
    fulfilled: Fulfilled = None
    group_id: Id | None = Field(default=None, description="Only that of this group.")


class GroupAssignmentList(GroupAssignmentFilters, ReadQuery):
    """Parameters of a licence's group assignments."""

    license_id: Id = Field(description="The program licence.")


class GroupAssignmentWrite(GroupAssignmentFilters, WriteQuery):
    """Parameters of assigning a licence to a group; what the body says as well must be the same there."""

    license_id: Id | None = Field(default=None, description="The program licence.")
    dry_run: DryRun = False


class LicenseWrite(Platform, WriteQuery):
    """Parameters of creating and changing licences."""


class UserAssignmentDelete(Platform, WriteQuery):
    """Parameters of ending a person's direct assignment."""

    assignment_id: Id = Field(description="The assignment.")


class GroupAssignmentDelete(Platform, WriteQuery):
    """Parameters of ending a group's assignment."""

    assignment_id: Id = Field(description="The group assignment.")
    remove_user_assignments: Flag = Field(
        default=True, description="False turns the seats that members have through the group into direct ones."
    )
    dry_run: DryRun = False
