"""What a tenant can be asked to do with licences: pools, direct assignments, grants to whole groups.

`sent` mappings hold only the fields that the caller sent: an absent one stays as it is, a null clears.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import NamedTuple

from domain.errors import JSON
from domain.items import InvalidItem


@unique
class LicenseKind(StrEnum):
    """What a pool is a pool of."""

    PROGRAM = "program"
    BUNDLE = "bundle"


@unique
class Shortage(StrEnum):
    """What becomes of a request for more seats than are free: refused whole, or served in order as they come free."""

    REJECT = "reject"
    WAITLIST = "waitlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePut:
    """A licence pool as the upstream wants it to be; `capacity` None is without limit, instants are aware UTC."""

    key: str
    name: str
    kind: LicenseKind
    capacity: int | None
    code: str | None = None
    program_key: str | None = None
    program_name: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PutLicenses:
    """Create or replace licence pools."""

    items: tuple[LicensePut | InvalidItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteLicenses:
    """Delete licence pools; one that is in use only with `cascade`."""

    keys: tuple[str, ...]
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProgramLicense:
    """A program licence as the catalogue creates it; its key is chosen by the service.

    `sent`: program_key, name, count (None: no limit), started; maybe program_name, expired, external_id, active,
    metadata, enrollment_config, source, transaction_id. Instants are RFC 3339 strings in UTC.
    """

    sent: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProgramLicense:
    """Changes of a program licence, found by its numeric id or else by its external id.

    `sent`: what CreateProgramLicense takes but for program_key and program_name, and change_type.
    """

    sent: Mapping[str, JSON]
    license_id: int | None = None
    external_id: str | None = None


@unique
class SeatOp(StrEnum):
    """What an item does to one person's direct assignment of one licence.

    ASSIGN and UNASSIGN name licence and person by keys. SET is the catalogue's create-or-update by numeric ids, REMOVE
    its deletion by the assignment's id.
    """

    ASSIGN = "assign"
    UNASSIGN = "unassign"
    SET = "set"
    REMOVE = "remove"


class SeatChange(NamedTuple):
    """One change of one direct assignment.

    Of the person the first that is given decides: user (key), user_id, username, email; an unknown user_id or
    username falls back to `email` where that was sent too. `sent` (SET only): active, direct, redirect_to, metadata.
    """

    op: SeatOp
    license: str | None = None
    license_id: int | None = None
    user: str | None = None
    user_id: int | None = None
    username: str | None = None
    email: str | None = None
    assignment_id: int | None = None
    sent: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeats:
    """Change direct assignments, item by item; `shortage` says what becomes of those for whom no seat is free."""

    items: tuple[SeatChange | InvalidItem, ...]
    shortage: Shortage = Shortage.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceUserBundles:
    """Make `codes` the direct bundles of these people (keys), all or nothing; inherited ones stay."""

    users: tuple[str, ...]
    codes: tuple[str, ...]
    use_external_license: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGroupLicense:
    """Create or update the grant of a licence to a group, both by numeric id.

    `sent`: active, hold, shortage, redirect_to, metadata.
    """

    license_id: int
    group_id: int
    sent: Mapping[str, JSON] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveGroupLicense:
    """End a grant by its id; without `remove_users` its members keep their seats as direct ones."""

    assignment_id: int
    remove_users: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceGroupBundles:
    """Make `codes` the bundles of this group (key), all or nothing; `quotas` maps codes to their limits."""

    group: str
    codes: tuple[str, ...]
    use_external_license: bool = False
    quotas: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprocessGroup:
    """Bring the entitlements of a group's members (key) to what its grants say."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLicenses:
    """A date of these licences (numeric ids) may have come: look what they are now, and act on it.

    `started` are those of them whose first instant it was.
    """

    license_ids: tuple[int, ...]
    started: tuple[int, ...] = ()


LicenseCommand = (
    PutLicenses
    | DeleteLicenses
    | CreateProgramLicense
    | UpdateProgramLicense
    | ChangeSeats
    | ReplaceUserBundles
    | SetGroupLicense
    | RemoveGroupLicense
    | ReplaceGroupBundles
    | ReprocessGroup
    | CheckLicenses
)
