"""The bodies of licences and of their direct assignments, as models: no unknown field, nothing converted."""

from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from api.http.bodies import BodyModel
from api.http.fields import Capacity, Email, Instant, Key, Name, Reference
from api.native.schemas import KeyedModel

_NEEDED = {"bundle": ("code",), "program": ("program_key", "program_name")}


class LicenseFields(BodyModel):
    """A licence; what is omitted takes its default. A bundle needs its code, a program its key and name."""

    name: Name
    kind: Literal["program", "bundle"] = Field(description="Which API gives it to groups. It stays what it is.")
    capacity: Capacity | None = Field(description="How many seats there are; null is without limit.")
    code: Name | None = Field(default=None, validate_default=True, description="Bundle code; unique in the tenant.")
    program_key: Name | None = Field(default=None, validate_default=True)
    program_name: Name | None = Field(default=None, validate_default=True)
    starts_at: Instant | None = Field(default=None, description="Seats are held before, and fulfilled from then on.")
    expires_at: Instant | None = Field(default=None, description="From then on whoever held a seat waits for renewal.")
    active: bool = Field(default=True, description="False: nobody new gets a seat; who has one keeps it.")

    @field_validator("code", "program_key", "program_name")
    @classmethod
    def _is_there(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.field_name in _NEEDED.get(info.data.get("kind", ""), ()):
            raise PydanticCustomError("required", "needed by the kind")
        return value


class LicenseBody(LicenseFields):
    """The body of PUT /v1/licenses/{key}; a `key` in it must be the address's own."""

    key: Key | None = None


class LicenseItem(LicenseFields, KeyedModel):
    """An item of POST /v1/licenses:batch."""


class LicenseBatch(BodyModel):
    """Up to 1,000 licences."""

    items: list[LicenseItem] = Field(min_length=1, max_length=1000)


class SeatItem(BodyModel):
    """An item of POST /v1/license-assignments:batch: a licence and a person by their keys, or an e-mail address."""

    op: Literal["assign", "unassign"]
    license: Reference
    user: Reference | None = None
    email: Email | None = Field(default=None, description="Of somebody who may not be known yet; instead of `user`.")

    @model_validator(mode="after")
    def _names_one_person(self) -> Self:
        if self.user is None and self.email is None:
            raise PydanticCustomError("one_of", "nobody is named", {"limit": "user, email"})
        return self

    @field_validator("email")
    @classmethod
    def _is_alone(cls, email: str | None, info: ValidationInfo) -> str | None:
        if email is not None and info.data.get("user") is not None:
            raise PydanticCustomError("must_be_null", "two people are named")
        return email


class SeatEnvelope(BodyModel):
    """What stands beside the items of a batch of licence assignments."""

    shortage: Literal["reject", "waitlist"] | None = Field(
        default=None,
        description="For whom no seat is free: `reject` refuses the item, `waitlist` lets them wait in order.",
    )


class SeatBatch(SeatEnvelope):
    """Up to 1,000 direct assignments."""

    items: list[SeatItem] = Field(min_length=1, max_length=1000)
