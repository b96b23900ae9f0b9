"""Applies the repair of what `verify` has found: it ends what stands alone, counts again, and tells of every change.

One rule: it runs alone, under the tenant's lock as every command, so that its events stand in the tenant's log.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from domain.commands import RepairCounts
from domain.entitlements import (
    Named,
    PoolCounts,
    entitlement_event,
    group_license_event,
    license_event,
    pool_events,
)
from domain.events import Event, EventType
from domain.outcomes import Reported, Result
from domain.planning import Decision, Order, in_order
from domain.sources import Source, names
from infra.postgres import repair
from infra.postgres.database import Row, Transaction


async def repair_counts(tx: Transaction, orders: Sequence[Order[RepairCounts]], at: datetime) -> list[Decision]:
    """The decision of the one command, which is the only one of its pass."""
    [order] = orders
    tenant_id, named = order.tenant_id, order.command
    unassigned = await repair.remove_stray_assignments(tx, tenant_id, named.groups)
    await repair.repair_members(tx, tenant_id, named.groups)
    await repair.remove_stray_grants(tx, tenant_id, named.grants)
    taken = await repair.remove_stray_sources(tx, tenant_id, named.entitlements)
    ended = await repair.end_stray_entitlements(tx, tenant_id, named.entitlements)
    waiting = await repair.repair_states(tx, tenant_id, named.entitlements, at)
    groups = await repair.recount_groups(tx, tenant_id, named.groups)
    grants = await repair.recount_grants(tx, tenant_id, {*named.grants, *(row["grant_id"] for row in taken)}, at)
    touched = {row["license_id"] for row in chain(ended, waiting)}
    licenses = await repair.recount_licenses(tx, tenant_id, {*named.licenses, *touched})
    await repair.restore_dates(tx, tenant_id, named.licenses)
    errors = await repair.recount_errors(tx, tenant_id, named.errors)
    events = chain(
        _unassigned(unassigned), _ended(ended), map(_waiting, waiting), map(_group, groups), map(_grant, grants),
        chain.from_iterable(map(_license, licenses)),
    )  # fmt: skip
    repaired = {
        "assignments": len(unassigned),
        "sources": len(taken),
        "entitlements": len(ended) + len(waiting),
        "groups": len(groups),
        "group_licenses": len(grants),
        "licenses": len(licenses),
        "errors": errors,
    }
    return [Decision(result=Result(outcomes=[Reported("repaired", repaired)], titles={}), events=in_order(events))]


def _unassigned(rows: Sequence[Row]) -> Iterator[Event]:
    """What has no name any more cannot be told of."""
    for row in rows:
        if row["group_key"] and row["user_key"] and row["role_key"]:
            group, user = Named(row["group_id"], row["group_key"]), Named(row["user_id"], row["user_key"])
            role = Named(row["role_id"], row["role_key"])
            yield Event(
                type=EventType.GROUP_ASSIGNMENT_DELETED,
                subject=f"groups/{group.key}/users/{user.key}/roles/{role.key}",
                data={
                    "group": group.document,
                    "user": user.document,
                    "role": role.document,
                    "sources": list(names(Source(row["sources"]))),
                },
            )


def _ended(rows: Sequence[Row]) -> Iterator[Event]:
    for row in rows:
        if row["license_key"] and (row["user_id"] is None or row["user_key"]):
            yield entitlement_event(
                EventType.ENTITLEMENT_REVOKED,
                license_of=Named(row["license_id"], row["license_key"]),
                user=_person(row),
                assignment_id=row["id"],
                state="ended",
                groups=(),
                direct=False,
            )


def _waiting(row: Row) -> Event:
    return entitlement_event(
        EventType.ENTITLEMENT_WAITING,
        license_of=Named(row["license_id"], row["license_key"]),
        user=_person(row),
        assignment_id=row["id"],
        state="waiting",
        groups=map(Named, row["group_ids"], row["group_keys"]),
        direct=row["is_direct"],
    )


def _person(row: Row) -> Named | None:
    return None if row["user_id"] is None else Named(row["user_id"], row["user_key"])


def _group(row: Row) -> Event:
    group = Named(row["id"], row["key"])
    return Event(type=EventType.GROUP_UPDATED, subject=f"groups/{group.key}", data={"group": group.document})


def _grant(row: Row) -> Event:
    return group_license_event(
        license_of=Named(row["license_id"], row["license_key"]),
        group=Named(row["group_id"], row["group_key"]),
        assignment_id=row["id"],
        active=row["active"],
        ready=row["ready"],
        counts={name: row[name] for name in ("user_count", "assigned", "waiting", "suspended")},
    )


def _license(row: Row) -> Iterator[Event]:
    license_of, now = Named(row["id"], row["key"]), _counts(row)
    yield license_event(license_of, now, active=row["active"])
    yield from pool_events(license_of, _counts(row, "_before"), now)


def _counts(row: Row, then: str = "") -> PoolCounts:
    return PoolCounts(
        capacity=row["capacity"],
        used=row[f"used{then}"],
        reserved=row[f"reserved{then}"],
        queued=row[f"queued{then}"],
        waiting=row[f"waiting{then}"],
        gives=row["gives"],
    )
