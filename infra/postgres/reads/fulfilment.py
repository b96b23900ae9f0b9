"""Fulfilment as operators see it, across tenants or of one, in the order of tenants and ids.

One rule: a page reads a window of a key's order, and no list is counted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.continuations import Continuing
from domain.explanations import Explanation
from infra.postgres.database import Database, Row
from infra.postgres.reads.entitlements import EntitlementFilter, page_of_entitlements
from infra.postgres.reads.pages import Page, Place, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_fulfilment")

FIRST: Place = (0, 0)
FIRST_WAITING: Place = (0, 0, 0)
_LAST = 2**63 - 1
# What goes on for a grant; everything else has another kind of thing as its target.
_OF_GRANTS = [kind.value for kind in (Continuing.GIVE, Continuing.WITHDRAW, Continuing.CONVERT, Continuing.ADMIT,
                                      Continuing.CLEAR)]  # fmt: skip
# A page goes on to the next tenant until it is full, and gives up after so many: the caller asks again.
_TENANTS_OF_A_PAGE = 20


class TenantName(NamedTuple):
    """A tenant by id and key."""

    id: int
    key: str


class NamedThing(NamedTuple):
    """A group or licence by id, key and name."""

    id: int
    key: str
    name: str


class Running(NamedTuple):
    """What goes on in chunks, and how far it has come."""

    operation_id: UUID
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A licence that a group was given, and how many of its members have it."""

    tenant: str
    group: NamedThing
    license: NamedThing
    members: int
    assigned: int
    waiting: int
    suspended: int
    fulfilled: bool
    running: Running | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """A licence and its seats; `capacity` None is without limit."""

    tenant: str
    license: NamedThing
    kind: str
    capacity: int | None
    used: int
    reserved: int
    waiting: int
    active: bool
    expires_at: datetime | None

    @property
    def utilisation(self) -> float | None:
        """The share of seats that are held or held back."""
        return round((self.used + self.reserved) / self.capacity, 4) if self.capacity else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """Somebody who waits for a licence."""

    tenant: str
    explanation: Explanation


async def page_of_grants(
    database: Database, *, tenant_id: int | None, state: str | None, after: Place, limit: int
) -> Page[GrantRow]:
    """Licences of groups behind the place (tenant, grant); `state` running, waiting or fulfilled."""
    window = window_for(limit, state)
    rows = await database.fetch(
        _SQL["page_of_grants"],
        **_span(tenant_id, after),
        kinds=_OF_GRANTS,
        state=state,
        window=window,
        limit=limit,
    )
    return cut(rows, limit=limit, window=window, read=_grant)


async def page_of_pools(database: Database, *, tenant_id: int | None, after: Place, limit: int) -> Page[PoolRow]:
    """Licences behind the place (tenant, licence)."""
    rows = await database.fetch(_SQL["page_of_pools"], **_span(tenant_id, after), window=limit + 1)
    return cut(rows, limit=limit, window=limit + 1, read=_pool)


async def page_of_waiting_of(
    database: Database, tenant: TenantName, *, license_key: str | None, after: Place, limit: int
) -> Page[WaitingRow]:
    """Who waits with this tenant, behind the place (tenant, licence, entitlement).

    Raises:
        UnknownKeyError: it has no licence with this key.
    """
    page = await page_of_entitlements(
        database,
        tenant.id,
        wanted=EntitlementFilter(state="waiting", license=license_key),
        after=after[1:] if after[0] == tenant.id else FIRST,
        limit=limit,
    )
    items = [WaitingRow(tenant=tenant.key, explanation=one) for one in page.items]
    return Page(items=items, next=None if page.next is None else (tenant.id, *page.next))


async def page_of_waiting(database: Database, *, after: Place, limit: int) -> Page[WaitingRow]:
    """Who waits with any tenant, behind the place (tenant, licence, entitlement)."""
    found: list[WaitingRow] = []
    for _ in range(_TENANTS_OF_A_PAGE):
        rows = await database.fetch(_SQL["next_tenant_with_waiting"], from_tenant=after[0])
        if not rows:
            return Page(items=found, next=None)
        here = TenantName(rows[0]["id"], rows[0]["key"])
        page = await page_of_waiting_of(database, here, license_key=None, after=after, limit=limit - len(found))
        found += page.items
        after = page.next or (here.id + 1, *FIRST)
        if page.next is not None or len(found) == limit:
            break
    return Page(items=found, next=after)


def _span(tenant_id: int | None, after: Place) -> dict[str, int]:
    if tenant_id is None:
        return {"after_tenant": after[0], "after_id": after[1], "last_tenant": _LAST}
    return {"after_tenant": tenant_id, "after_id": after[1] if after[0] == tenant_id else 0, "last_tenant": tenant_id}


def _grant(row: Row) -> GrantRow:
    return GrantRow(
        tenant=row["tenant_key"],
        group=NamedThing(row["group_id"], row["group_key"], row["group_name"]),
        license=NamedThing(row["license_id"], row["license_key"], row["license_name"]),
        members=row["user_count"],
        assigned=row["assigned"],
        waiting=row["waiting"],
        suspended=row["suspended"],
        fulfilled=row["fulfilled"],
        running=None if row["operation_id"] is None else Running(row["operation_id"], row["done"], row["total"]),
    )


def _pool(row: Row) -> PoolRow:
    return PoolRow(
        tenant=row["tenant_key"],
        license=NamedThing(row["id"], row["key"], row["name"]),
        kind=row["kind"],
        capacity=row["capacity"],
        used=row["used"],
        reserved=row["reserved"],
        waiting=row["waiting"],
        active=row["active"],
        expires_at=row["expires_at"],
    )
