"""Grants of licences to groups in Postgres: what a command about one asks for, and the rows it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.license_commands import LicenseKind
from domain.seat_rows import Grant, Group
from infra.postgres.database import Transaction
from infra.postgres.statements import load

_SQL = load("group_licenses")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantInQuestion:
    """A licence, a group and the grant of the one to the other, as far as they exist.

    `reached` is how many members have what the grant gives; while more are to be reached it `is_giving`.
    """

    kind: LicenseKind | None
    group: Group | None
    grant_id: int | None
    active: bool
    hold: bool
    reached: int
    is_giving: bool

    @property
    def gives(self) -> bool:
        """The grant is there and gives to whoever joins."""
        return self.grant_id is not None and self.active and not self.hold


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantById:
    """A grant; `reached` is how many members have what it gives."""

    id: int
    group_id: int
    license_id: int
    license_kind: LicenseKind
    reached: int


async def find_grant(tx: Transaction, tenant_id: int, *, license_id: int, group_id: int) -> GrantInQuestion:
    """The grant of this licence to this group."""
    [row] = await tx.fetch(_SQL["grant_in_question"], tenant_id=tenant_id, license_id=license_id, group_id=group_id)
    group = None
    if row["group_key"] is not None:
        group = Group(id=group_id, key=row["group_key"], name=row["group_name"], user_count=row["user_count"])
    return GrantInQuestion(
        kind=None if row["license_kind"] is None else LicenseKind(row["license_kind"]),
        group=group,
        grant_id=row["grant_id"],
        active=row["active"] is not False,
        hold=bool(row["hold"]),
        reached=row["reached"] or 0,
        is_giving=row["is_giving"],
    )


async def find_grant_by_id(tx: Transaction, tenant_id: int, grant_id: int) -> GrantById | None:
    """The grant with this id, unless it is being taken away."""
    for row in await tx.fetch(_SQL["grant_by_id"], tenant_id=tenant_id, id=grant_id):
        return GrantById(
            id=row["id"],
            group_id=row["group_id"],
            license_id=row["license_id"],
            license_kind=LicenseKind(row["license_kind"]),
            reached=row["reached"],
        )
    return None


async def reserve_grant_ids(tx: Transaction, count: int) -> list[int]:
    """Fresh ids; one that is not used is lost, as sequences are."""
    return [row["id"] for row in await tx.fetch(_SQL["reserve_grant_ids"], count=count)]


async def write_grants(tx: Transaction, grants: Sequence[Grant]) -> None:
    """New and changed grants, in this order."""
    await tx.execute(
        _SQL["write_grants"],
        tenant_ids=[grant.tenant_id for grant in grants],
        ids=[grant.id for grant in grants],
        group_ids=[grant.group_id for grant in grants],
        license_ids=[grant.license_id for grant in grants],
        actives=[grant.active for grant in grants],
        holds=[grant.hold for grant in grants],
        shortages=[grant.shortage for grant in grants],
        quotas=[grant.quota for grant in grants],
        redirects=[grant.redirect_to for grant in grants],
        metadatas=[grant.metadata for grant in grants],
        removals=[grant.is_removed for grant in grants],
        created_ats=[grant.created_at for grant in grants],
        updated_ats=[grant.updated_at for grant in grants],
    )


async def remove_grants(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> None:
    """Delete grants that were taken away and have no sources left."""
    await tx.execute(_SQL["remove_grants"], tenant_id=tenant_id, ids=ids)
