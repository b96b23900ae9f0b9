"""What the account API shows of bundles: quantities, a group's set, the groups that have one, the members it serves.

One rule: every question names its tenant; an account without any bundle licence is refused before anything is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from infra.postgres.database import Reads, Row, Transaction
from infra.postgres.statements import load

_SQL = load("read_account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A bundle pool; `capacity` None is without limit."""

    code: str
    capacity: int | None
    used: int
    reserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBundle:
    """A bundle that a group has; `in_quota` are the members within its quota (None: every member)."""

    grant_id: int
    license_id: int
    code: str
    quota: int | None
    in_quota: int
    assigned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensedGroup:
    """A group and its bundles, in the order in which they were allocated."""

    id: int
    key: str
    name: str
    use_external_license: bool
    user_count: int
    bundles: Sequence[GroupBundle]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensedMember:
    """A member who holds seats through a group; `codes` are what the group gives them."""

    key: str
    username: str
    email: str | None
    first_name: str
    last_name: str
    codes: Sequence[str]


class Missing(StrEnum):
    """What does not exist: the first, in this order. An account is missing where it has no bundle licence at all."""

    ACCOUNT = "account"
    GROUP = "group"


class By(StrEnum):
    """What a list may be ordered by; groups have no e-mail address and one name alone."""

    MADE = "made"
    KEY = "key"
    NAME = "name"
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    DISPLAY_NAME = "display_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of a list, in which order."""

    by: By = By.MADE
    descending: bool = False
    offset: int = 0
    limit: int = 50

    @property
    def order(self) -> str:
        """As the statements compare it."""
        return f"{self.by.value}_{'desc' if self.descending else 'asc'}"


async def quantities(database: Reads, tenant_id: int) -> Sequence[Quantity]:
    """The account's bundle pools, by code."""
    rows = await database.fetch(_SQL["quantities"], tenant_id=tenant_id)
    return [
        Quantity(code=row["code"], capacity=row["capacity"], used=row["used"], reserved=row["reserved"]) for row in rows
    ]


async def bundles_of_group(database: Reads, tenant_id: int, group: str) -> LicensedGroup | Missing:
    """The group with this key and its bundles, of which there may be none."""
    return _found(await database.fetch(_SQL["bundles_of_group"], tenant_id=tenant_id, group=group))


async def page_of_groups(
    database: Reads, tenant_id: int, wanted: Wanted
) -> tuple[Sequence[LicensedGroup], int] | Missing:
    """A page of the groups that have bundles, and how many there are in all."""
    async with database.transaction() as tx:
        if not (await tx.fetch(_SQL["has_bundles"], tenant_id=tenant_id))[0]["has_bundles"]:
            return Missing.ACCOUNT
        await tx.execute(_SQL["plan_for_these_values"])
        rows = await tx.fetch(
            _SQL["licensed_groups"],
            tenant_id=tenant_id,
            by=wanted.order,
            offset=wanted.offset,
            limit=wanted.limit,
        )
        total: int = (await tx.fetch(_SQL["count_licensed_groups"], tenant_id=tenant_id))[0]["matching"]
    return list(_groups(rows)), total


async def page_of_members(
    database: Reads, tenant_id: int, group: str, wanted: Wanted
) -> tuple[Sequence[LicensedMember], int] | Missing:
    """A page of the members who hold seats through the group, and how many there are in all."""
    async with database.transaction() as tx:
        found = _found(await tx.fetch(_SQL["bundles_of_group"], tenant_id=tenant_id, group=group))
        if isinstance(found, Missing):
            return found
        if not found.bundles:
            return [], 0
        await tx.execute(_SQL["plan_for_these_values"])
        rows = await tx.fetch(
            _SQL["licensed_members"],
            tenant_id=tenant_id,
            group_id=found.id,
            grant_ids=[bundle.grant_id for bundle in found.bundles],
            license_ids=[bundle.license_id for bundle in found.bundles],
            by=wanted.order,
            offset=wanted.offset,
            limit=wanted.limit,
        )
        total = await _total(tx, tenant_id, found, wanted, on_page=len(rows))
    return [_member(row, found) for row in rows], total


async def _total(tx: Transaction, tenant_id: int, group: LicensedGroup, wanted: Wanted, *, on_page: int) -> int:
    """How many members are served. A last page has counted them itself, and mostly the workers have."""
    if 0 < on_page < wanted.limit or not (on_page or wanted.offset):
        return wanted.offset + on_page
    unlimited = [bundle.assigned for bundle in group.bundles if bundle.quota is None]
    if group.user_count in unlimited:
        return group.user_count
    if len(group.bundles) == len(unlimited) == 1:
        return unlimited[0]
    grant_ids = [bundle.grant_id for bundle in group.bundles]
    rows = await tx.fetch(_SQL["count_licensed_members"], tenant_id=tenant_id, grant_ids=grant_ids)
    matching: int = rows[0]["matching"]
    return matching


def _found(rows: Sequence[Row]) -> LicensedGroup | Missing:
    if not rows[0]["has_bundles"]:
        return Missing.ACCOUNT
    if rows[0]["id"] is None:
        return Missing.GROUP
    return next(_groups(rows))


def _groups(rows: Sequence[Row]) -> Iterator[LicensedGroup]:
    """The groups in rows that carry one bundle each, or none."""
    for _, of_group in groupby(rows, key=lambda row: row["id"]):
        bundles = list(of_group)
        first = bundles[0]
        yield LicensedGroup(
            id=first["id"],
            key=first["key"],
            name=first["name"],
            use_external_license=first["use_external_license"],
            user_count=first["user_count"],
            bundles=[_bundle(row) for row in bundles if row["grant_id"] is not None],
        )


def _bundle(row: Row) -> GroupBundle:
    return GroupBundle(
        grant_id=row["grant_id"],
        license_id=row["license_id"],
        code=row["code"],
        quota=row["quota"],
        in_quota=row["in_quota"],
        assigned=row["assigned"],
    )


def _member(row: Row, group: LicensedGroup) -> LicensedMember:
    return LicensedMember(
        key=row["key"],
        username=row["username"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        codes=[group.bundles[place - 1].code for place in row["places"]],
    )
