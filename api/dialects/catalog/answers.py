"""The bodies that the catalogue API answers with, as models: what the OpenAPI document says.

One rule: these describe; shapes.py writes the bodies.
"""

from pydantic import BaseModel, Field


class Listed(BaseModel):
    """A page of a list. Each link is given under two names, since clients of this API disagree about them."""

    count: int = Field(description="How many there are in all.")
    next: str | None = Field(description="The next page, absolute; null on the last.")
    previous: str | None
    next_page: str | None
    previous_page: str | None


class AssignmentCounts(BaseModel):
    """How many assignments a licence has; those that are neither active nor pending were set inactive."""

    total: int
    active: int = Field(description="Those that hold a seat.")
    pending: int = Field(description="Those that wait.")


class ProgramLicense(BaseModel):
    """A program licence."""

    id: int
    name: str
    count: int | None = Field(description="How many seats there are; null is without limit.")
    usage_count: int = Field(description="How many seats are held.")
    active: bool
    created: str
    started: str | None
    expired: str | None
    metadata: dict[str, object] | None
    source: str
    external_id: str | None
    platform_key: str
    program_id: int | None
    program_key: str | None
    program_name: str | None
    assignments: AssignmentCounts | None = Field(default=None, description="With `verbose=true` only.")


class ProgramLicensePage(Listed):
    """A page of the tenant's program licences."""

    results: list[ProgramLicense]


class UserLicense(BaseModel):
    """A licence of a person, who holds one seat of it at most."""

    id: int
    user_id: int | None = Field(description="Null where only an e-mail address is known.")
    username: str | None
    name: str | None = Field(description="First and last name.")
    email: str | None = Field(description="Null for a user without an address.")
    active: bool = Field(description="False where a client set it so.")
    fulfilled: bool = Field(description="The seat is held, the person known, and the licence has started.")
    direct: bool = Field(description="Whether it was given to the person, and not only through groups.")
    redirect_to: str | None
    metadata: dict[str, object] | None
    created: str
    modified: str
    license_id: int
    license_name: str
    program_key: str | None


class UserLicensePage(Listed):
    """A page of a licence's assignments."""

    results: list[UserLicense]


class GroupLicense(BaseModel):
    """A licence of a group, which its members hold through it."""

    id: int
    group_id: int
    group_name: str
    active: bool
    fulfilled: bool = Field(description="Every member holds a seat, and the licence has started.")
    redirect_to: str | None
    metadata: dict[str, object] | None
    created: str
    modified: str
    license_id: int
    license_name: str
    program_key: str | None
    program_name: str | None
    user_count: int
    assigned_count: int
    waiting_count: int = Field(description="Members who wait for a seat.")
    requested: int | None = Field(default=None, description="On a dry run only: seats that members lack.")
    available: int | None = Field(default=None, description="On a dry run only: free seats; null is without limit.")
    would_wait: int | None = Field(default=None, description="On a dry run only: members that would wait.")


class GroupLicensePage(Listed):
    """A page of a licence's group assignments."""

    results: list[GroupLicense]
