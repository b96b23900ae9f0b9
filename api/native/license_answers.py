"""The bodies of licences and entitlements that the native API answers with, as models: what the OpenAPI document says.

One rule: as in answers.py, these describe; license_translate.py and license_views.py write the bodies.
"""

from typing import Literal

from pydantic import BaseModel, Field

from api.native.answers import ItemRefusal, Page

StateName = Literal["active", "waiting", "suspended"]


class BothNames(BaseModel):
    """Something by both its names."""

    id: int
    key: str


class DirectoryLicense(BaseModel):
    """A licence with its seats: `capacity` null is without limit."""

    id: int
    key: str
    name: str
    kind: Literal["program", "bundle"]
    code: str | None
    program_key: str | None
    program_name: str | None
    capacity: int | None
    used: int = Field(description="Seats that are held.")
    reserved: int = Field(description="Seats held back for members whom a running group assignment has not reached.")
    waiting: int = Field(description="People who wait, for whatever reason.")
    active: bool
    starts_at: str | None
    expires_at: str | None


class DirectoryLicensePage(Page):
    """Licences."""

    items: list[DirectoryLicense]


class ShownSeat(BaseModel):
    """The one assignment of a licence to a person, as it is after the item."""

    id: int | None = Field(description="As the catalogue API and events show it; null where a dry run would create it.")
    license: BothNames
    user: BothNames | None = Field(description="Null for an e-mail address whose person is not known yet.")
    email: str | None = Field(default=None, description="Present where `user` is null.")
    state: StateName
    position: int | None = Field(default=None, description="The place in the waiting list, from 1.")
    direct: bool = Field(description="Whether it was given to the person, and not only through groups.")
    groups: list[BothNames] = Field(description="Groups that give it as well.")


class SeatRefusal(ItemRefusal):
    """Why one item was refused; `details` are the facts, such as `requested` and `available`."""

    details: dict[str, object] | None = None


class SeatResult(BaseModel):
    """What became of one item: 201 assigned, 200 as it was already or unassigned, or a refusal."""

    status: int
    license: str | None = Field(description="Null where none could be read.")
    user: str | None
    email: str | None = Field(default=None, description="Present where the item named one.")
    body: ShownSeat | None = Field(default=None, description="Present where the item assigned.")
    error: SeatRefusal | None = Field(default=None, description="Absent where nothing failed.")


class LicenseDemand(BaseModel):
    """What the items ask of a licence: new seats, those that were free, and how many people would wait."""

    requested: int
    available: int | None = Field(description="Null is without limit.")
    would_wait: int


class SeatResults(BaseModel):
    """One result per item, in order; a dry run adds the demand by licence."""

    items: list[SeatResult]
    demand: dict[str, LicenseDemand] | None = Field(default=None, description="Of a dry run: by the licence's key.")


class ShownSource(BaseModel):
    """One reason why the person has the licence, since when, and by which operation."""

    type: Literal["direct", "group"]
    group: BothNames | None = Field(default=None, description="Present where a group gives it.")
    since: str
    operation_id: str


class ListedEntitlement(BaseModel):
    """Why a person has a licence, or what they wait for."""

    id: int = Field(description="The id that the catalogue API and events show.")
    license: BothNames
    user: BothNames | None = Field(description="Null for an e-mail address whose person is not known yet.")
    email: str | None = Field(default=None, description="Present where `user` is null.")
    state: StateName
    position: int | None = Field(
        default=None, description="The place in the waiting list for a seat, from 1, as far as places are counted."
    )
    position_beyond: int | None = Field(
        default=None, description="Instead of `position`: this many are before them, and perhaps more."
    )
    waiting_for: Literal["seat", "quota", "user", "license"] | None = Field(
        default=None,
        description="A seat to come free, a place in the group's quota, the user or the licence to be active again.",
    )
    since: str
    until: str | None = Field(default=None, description="When the licence expires, where it does.")
    sources: list[ShownSource] = Field(description="Every reason, direct first.")


class EntitlementPage(Page):
    """Entitlements, in the order of licences, then of their assignments."""

    items: list[ListedEntitlement]


class Reprocessed(BaseModel):
    """What reprocessing found: how many members got a licence, and how many lost one."""

    group: BothNames
    user_count: int
    given: int
    taken: int
