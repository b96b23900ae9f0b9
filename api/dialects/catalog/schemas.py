"""The bodies that the catalogue API takes, as its pages and its clients write them.

One rule: what the pages do not call nullable is refused as null, and an absent field differs from one that was sent.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.dialects.catalog.redirects import LONGEST_URL
from api.http.bodies import BodyModel
from api.http.fields import LONGEST_NAME, Attributes, Capacity, Email, Instant, Name

LARGEST_ID = 2**63 - 1

ABSENT: Any = None
"""The default of a field that may be left out but not be null; `model_fields_set` tells what was sent."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Label = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
Metadata = Annotated[Attributes, Field(description="At most 16 KiB and 8 levels; null clears.")]
RedirectTo = Annotated[str, StringConstraints(max_length=LONGEST_URL)]
Fulfilled = Annotated[bool, Field(description="Accepted, and holds nothing back: what is shown is worked out.")]


class PlatformBody(BodyModel):
    """A body that may say whose it is."""

    platform_key: str = Field(default=ABSENT, description="The tenant's own key, or absent.")
    platform_org: str = Field(default=ABSENT, description="The tenant's own organisation, or absent.")


class UserAssignmentBody(PlatformBody):
    """Who is to have which licence. Of the person `user_id` decides, then `username`, then `email`."""

    license_id: Id
    user_id: Id = ABSENT
    username: Annotated[str, StringConstraints(min_length=1)] = ABSENT
    email: Email = Field(default=ABSENT, description="Of somebody who may not be known yet.")
    active: bool = Field(default=ABSENT, description="True on creation. False gives the direct seat back.")
    fulfilled: Fulfilled = ABSENT
    direct: bool = Field(default=ABSENT, description="False adds no direct source.")
    redirect_to: RedirectTo | None = Field(default=None, description="An absolute https URL; null clears.")
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        _require_one(self, "user_id", "username", "email")
        return self


class GroupAssignmentBody(PlatformBody):
    """Which group is to have which licence."""

    license_id: Id
    group_id: Id
    active: bool = Field(default=ABSENT, description="True on creation. False withdraws the group's seats.")
    fulfilled: Fulfilled = ABSENT
    redirect_to: RedirectTo | None = Field(default=None, description="An absolute https URL; null clears.")
    metadata: Metadata | None = None
    shortage: Literal["reject", "waitlist"] = Field(
        default=ABSENT, description="With too few seats: refuse the whole (the default), or let the others wait."
    )
    hold: bool = Field(default=ABSENT, description="True stores without giving anything until it is sent false.")


class ProgramLicenseFields(PlatformBody):
    """What creating and changing a licence have in common."""

    expired: Instant | None = Field(default=None, description="When seats end; null is never.")
    active: bool = Field(default=ABSENT, description="False gives no new seats and keeps those that are held.")
    metadata: Metadata | None = None
    enrollment_config: Metadata | None = None
    source: Label = ABSENT
    transaction_id: Label | None = None


class ProgramLicenseCreate(ProgramLicenseFields):
    """A new program licence."""

    program_key: Name
    program_name: Name = Field(default=ABSENT, description="The program's key unless it is sent.")
    name: Name
    count: Capacity | None = Field(description="How many seats there are; null is without limit.")
    started: Instant = Field(description="When seats are fulfilled; they are held before.")
    external_id: Name | None = Field(default=None, description="Unique in the tenant.")


class ProgramLicenseUpdate(ProgramLicenseFields):
    """Changes of a program licence, found by `license_id` or else by `external_id`; the program stays."""

    license_id: Id = ABSENT
    external_id: Name | None = Field(default=None, description="Beside `license_id` the new one; null clears.")
    name: Name = ABSENT
    count: Capacity | None = Field(default=None, description="Not below the seats in use; null is without limit.")
    started: Instant = ABSENT
    change_type: Label | None = None

    @model_validator(mode="after")
    def _names_a_license(self) -> Self:
        _require_one(self, "license_id", "external_id")
        return self


def _require_one(body: BodyModel, *names: str) -> None:
    if all(getattr(body, name) is None for name in names):
        raise PydanticCustomError("one_of", "nothing is named", {"limit": ", ".join(names)})
