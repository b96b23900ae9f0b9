"""Applies what is asked of grants to groups; what does not fit into one chunk goes on after the answer.

One rule: these kinds run alone in their pass, so a handler is given one command.
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from domain.commands import Command
from domain.continuations import Continuation, Continuing
from domain.entitlements import Named
from domain.errors import JSON, ErrorCode, Refusal
from domain.events import Told
from domain.group_grants import Demand, changed, grant_document, refusal_of_demand, refusal_to_give
from domain.license_commands import LicenseKind, RemoveGroupLicense, SetGroupLicense
from domain.outcomes import Outcome, Reported, Result
from domain.planning import Decision, Order, Reached
from domain.seat_rows import Grant, Group
from domain.seats import SeatBook
from infra.postgres.continuations import work_left
from infra.postgres.database import Transaction
from infra.postgres.group_licenses import (
    GrantInQuestion,
    find_grant,
    find_grant_by_id,
    reserve_grant_ids,
    write_grants,
)
from infra.postgres.seats import load_seats
from workers.chunk_sizes import ChunkSizes
from workers.undertaking import Undertaking, carry_out, demand_of, prepare, reserve, take_over

NO_DEMAND = Demand(requested=0, available=None)


class GroupLicenses:
    """The handlers of grants, which know how much one pass may do of them."""

    def __init__(self, sizes: ChunkSizes) -> None:
        self._sizes = sizes

    async def set_one(self, tx: Transaction, orders: Sequence[Order[SetGroupLicense]], at: datetime) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        command = order.command
        found = await find_grant(tx, order.tenant_id, license_id=command.license_id, group_id=command.group_id)
        if found.kind is not LicenseKind.PROGRAM:
            return [refused(Refusal(code=ErrorCode.LICENSE_DOES_NOT_EXIST, field="license"))]
        if found.group is None:
            return [refused(Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="group"))]
        grant_id = found.grant_id or (await reserve_grant_ids(tx, 1))[0]
        kind = _undertakes(found, command)
        if kind is None:
            return [await _update(tx, order, found.group, grant_id, at)]
        of = continuation_of(order, kind, grant_id, group_id=command.group_id, license_id=command.license_id)
        of.total = found.reached if kind is Continuing.WITHDRAW else found.group.user_count - found.reached
        this = await prepare(tx, of, rows=self._sizes.of(kind), at=at)
        return [await _set(tx, order, this, found.group, at)]

    async def remove_one(
        self, tx: Transaction, orders: Sequence[Order[RemoveGroupLicense]], at: datetime
    ) -> list[Decision]:
        """One decision for the one command."""
        [order] = orders
        found = await find_grant_by_id(tx, order.tenant_id, order.command.assignment_id)
        if found is None or found.license_kind is not LicenseKind.PROGRAM:
            return [refused(Refusal(code=ErrorCode.GROUP_LICENSE_DOES_NOT_EXIST, field="assignment"))]
        kind = Continuing.WITHDRAW if order.command.remove_users else Continuing.CONVERT
        of = continuation_of(order, kind, found.id, group_id=found.group_id, license_id=found.license_id)
        of.total = found.reached
        this = await prepare(tx, of, rows=self._sizes.of(kind), at=at)
        await take_over(tx, this, order.operation_id)
        facts = this.book.facts
        grant = dataclasses.replace(facts.grants[found.id], is_removed=True, updated_at=at)
        await put_grant(tx, this.book, grant)
        told = await carry_out(tx, this)
        body: dict[str, JSON] = {
            "id": found.id,
            "group": facts.groups[found.group_id].named.document,
            "license": facts.pools[found.license_id].named.document,
        }
        return [await decided(tx, order, [Reported("group_license_removed", body)], told, [this])]


def continuation_of(
    order: Order[Command], kind: Continuing, grant_id: int, *, group_id: int, license_id: int
) -> Continuation:
    """What the order does to a grant, before anybody is come to."""
    return Continuation(
        tenant_id=order.tenant_id,
        operation_id=order.operation_id,
        operation_seq=order.seq,
        kind=kind,
        target=Named(grant_id, ""),
        license_id=license_id,
        group_id=group_id,
    )


async def put_grant(tx: Transaction, book: SeatBook, grant: Grant) -> None:
    """Write the grant as it is now, and tell of it when the book is closed."""
    book.facts.grants[grant.id] = grant
    book.announce(grant)
    await write_grants(tx, [grant])


async def decided(
    tx: Transaction,
    order: Order[Command],
    outcomes: Sequence[Outcome],
    told: Sequence[Told],
    undertaken: Sequence[Undertaking],
) -> Decision:
    """The decision of what has been undertaken; the operation goes on where that has begun continuations."""
    done = sum(this.done for this in undertaken)
    left = await work_left(tx, order.tenant_id, order.operation_id)
    return Decision(
        result=Result(outcomes=outcomes, titles={}),
        events=told,
        reached=[one for this in undertaken for one in this.reached],
        done=done,
        total=done + (left or 0),
    )


def refused(refusal: Refusal, reached: Sequence[Reached] = ()) -> Decision:
    """Nothing is done."""
    return Decision(result=Result(outcomes=[refusal], titles={}), events=[], reached=reached)


def _undertakes(found: GrantInQuestion, command: SetGroupLicense) -> Continuing | None:
    """What the command sets going: nothing where members have, or are being given, what they should have."""
    gives = bool(command.sent.get("active", found.active)) and not command.sent.get("hold", found.hold)
    if not gives:
        return Continuing.WITHDRAW if found.gives else None
    is_done = found.gives and (found.is_giving or found.reached == (found.group and found.group.user_count))
    return None if is_done else Continuing.GIVE


async def _set(
    tx: Transaction, order: Order[SetGroupLicense], this: Undertaking, group: Group, at: datetime
) -> Decision:
    grant, created = _wanted(order, this.book, this.of.target.id, at)
    demand = NO_DEMAND
    if this.of.kind is Continuing.GIVE:
        demand = await demand_of(tx, this, at)
        refusal = refusal_to_give(this.book.facts.pools[grant.license_id], at) or refusal_of_demand(
            demand, grant.shortage
        )
        if refusal is not None:
            return refused(refusal, this.reached)
    await take_over(tx, this, order.operation_id)
    if this.of.kind is Continuing.GIVE:
        reserve(this, demand)
    this.book.facts.groups.setdefault(group.id, group)
    await put_grant(tx, this.book, grant)
    told = await carry_out(tx, this)
    return await decided(tx, order, [_outcome(this.book, grant, demand, at, created=created)], told, [this])


async def _update(
    tx: Transaction, order: Order[SetGroupLicense], group: Group, grant_id: int, at: datetime
) -> Decision:
    """Fields alone."""
    ids = [(order.tenant_id, order.command.license_id)]
    book = await load_seats(tx, at=at, groups=[(order.tenant_id, group.id)], licenses=ids)
    book.begin(operation_id=order.operation_id, seq=order.seq)
    book.facts.groups.setdefault(group.id, group)
    grant, created = _wanted(order, book, grant_id, at)
    if created or grant is not book.facts.grants[grant_id]:
        await put_grant(tx, book, grant)
    outcome = _outcome(book, grant, NO_DEMAND, at, created=created)
    return Decision(result=Result(outcomes=[outcome], titles={}), events=book.end())


def _wanted(order: Order[SetGroupLicense], book: SeatBook, grant_id: int, at: datetime) -> tuple[Grant, bool]:
    """The grant as the command wants it, and whether it is new."""
    old = book.facts.grants.get(grant_id)
    base = old or Grant(
        tenant_id=order.tenant_id,
        id=grant_id,
        group_id=order.command.group_id,
        license_id=order.command.license_id,
        created_at=at,
        updated_at=at,
    )
    return changed(base, order.command.sent, at), old is None


def _outcome(book: SeatBook, grant: Grant, demand: Demand, at: datetime, *, created: bool) -> Reported:
    facts = book.facts
    shown = grant_document(grant, facts.groups[grant.group_id], facts.pools[grant.license_id], at)
    return Reported("group_license", {"created": created, "group_license": shown, **demand.document})
