"""Decides which bundles people have directly: their set of codes is replaced as a whole, all of it or nothing.

The order of checks: account, people, codes, people active, quantities. What groups give stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.bundles import KNOWN_BUNDLE_CODES
from domain.entitlements import DIRECT, Named, State
from domain.errors import JSON, ErrorCode, Refusal
from domain.license_commands import LicenseKind, ReplaceUserBundles
from domain.outcomes import Reported, Result
from domain.planning import Decision, Order, in_order
from domain.seat_rows import Holder, Pool
from domain.seats import SeatBook

_NEEDING = frozenset({None, State.BLOCKED, State.QUEUED})


class Demand(NamedTuple):
    """Seats that a request needs of a bundle, and how many there are; a known code without a pool has none to give."""

    requested: int
    available: int | None
    has_pool: bool = True

    @property
    def would_wait(self) -> int:
        """Seats that are lacking."""
        return 0 if self.available is None else max(0, self.requested - self.available)

    @property
    def document(self) -> dict[str, JSON]:
        """As answers show it."""
        return {"requested": self.requested, "available": self.available, "would_wait": self.would_wait}


def pools_by_code(pools: Iterable[Pool], tenant_id: int) -> dict[str, Pool]:
    """The tenant's bundles, by code, in id order."""
    bundles = [pool for pool in pools if pool.tenant_id == tenant_id and pool.kind is LicenseKind.BUNDLE]
    return {pool.code: pool for pool in sorted(bundles, key=_id) if pool.code}


def unknown_code(codes: Iterable[str], pools: Mapping[str, Pool]) -> Refusal | None:
    """The refusal of the first code that is neither known by name nor any pool's."""
    unknown = next((code for code in codes if code not in KNOWN_BUNDLE_CODES and code not in pools), None)
    if unknown is None:
        return None
    return Refusal(code=ErrorCode.UNKNOWN_BUNDLE_CODE, field="codes", details={"code": unknown})


def exceeded(demands: Mapping[str, Demand]) -> Refusal | None:
    """The refusal of a request that needs more than there is; names the codes that do not suffice."""
    codes: dict[str, JSON] = {
        code: {"requested": demand.requested, "available": demand.available}
        for code, demand in demands.items()
        if demand.would_wait or not demand.has_pool
    }
    if not codes:
        return None
    return Refusal(code=ErrorCode.QUANTITIES_EXCEEDED, details={"codes": codes})


def plan_user_bundles(
    orders: Sequence[Order[ReplaceUserBundles]], people: Mapping[tuple[int, str], Holder], seats: SeatBook
) -> list[Decision]:
    """Decide every command in turn; `people` are those named by key, `seats` holds the net effect afterwards."""
    return [_decide(order, people, seats) for order in orders]


def _decide(order: Order[ReplaceUserBundles], people: Mapping[tuple[int, str], Holder], seats: SeatBook) -> Decision:
    pools = pools_by_code(seats.facts.pools.values(), order.tenant_id)
    seats.begin(operation_id=order.operation_id, seq=order.seq)
    plan = _Plan(seats=seats, pools=pools, command=order.command, tenant_id=order.tenant_id, people=people)
    outcome = plan.refusal() or plan.apply()
    events = [*seats.drain(), *seats.end()]
    # The one outcome stands for everybody.
    people_done = len(order.command.users)
    return Decision(
        result=Result(outcomes=[outcome], titles={}), events=in_order(events), done=people_done, total=people_done
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    seats: SeatBook
    pools: Mapping[str, Pool]
    command: ReplaceUserBundles
    tenant_id: int
    people: Mapping[tuple[int, str], Holder]

    def refusal(self) -> Refusal | None:
        """The first check that fails."""
        command, named = self.command, self.people
        if not self.pools:
            return Refusal(code=ErrorCode.ACCOUNT_DOES_NOT_EXIST)
        missing = next((key for key in command.users if (self.tenant_id, key) not in named), None)
        if missing is not None:
            return Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field="users", details={"user": missing})
        refusal = unknown_code(command.codes, self.pools)
        if refusal is not None:
            return refusal
        lacking = {person.id for code in self._codes() for person in self._lacking(code)}
        idle = next((person for person in self._users() if person.id in lacking and not person.active), None)
        if idle is not None:
            return Refusal(code=ErrorCode.USER_IS_NOT_ACTIVE, field="users", details={"user": idle.key})
        return exceeded({code: self._demand(code) for code in self._codes() if self._lacking(code)})

    def apply(self) -> Reported:
        """Make the codes these people's direct ones."""
        demands: dict[str, JSON] = {code: self._demand(code).document for code in self._codes()}
        for code, pool in self.pools.items():
            if code in self.command.codes:
                self._give(pool, self._lacking(code))
            else:
                self._take(pool)
        users: list[JSON] = [Named(person.id, person.key).document for person in self._users()]
        body: dict[str, JSON] = {
            "users": users,
            "codes": list(self._codes()),
            "use_external_license": self.command.use_external_license,
            "demand": demands,
        }
        return Reported("user_bundles", body)

    def _give(self, pool: Pool, people: Iterable[Holder]) -> None:
        for person in people:
            seat = self.seats.table.of_person(pool.id, person.id)
            if seat is None:
                self.seats.make(pool, self.seats.source(DIRECT), user_id=person.id)
            else:
                self.seats.change(seat, seat.with_source(self.seats.source(DIRECT)))

    def _take(self, pool: Pool) -> None:
        for person in self._users():
            seat = self.seats.table.of_person(pool.id, person.id)
            if seat is not None and seat.direct is not None:
                self.seats.withdraw_direct(seat)

    def _lacking(self, code: str) -> list[Holder]:
        """Those who do not have the code directly yet."""
        pool = self.pools.get(code)
        if pool is None:
            return self._users()
        seats = ((person, self.seats.table.of_person(pool.id, person.id)) for person in self._users())
        return [person for person, seat in seats if seat is None or seat.direct is None]

    def _demand(self, code: str) -> Demand:
        pool, lacking = self.pools.get(code), self._lacking(code)
        if pool is None:
            return Demand(len(lacking), 0, has_pool=False)
        seats = [self.seats.table.of_person(pool.id, person.id) for person in lacking]
        needing = sum((None if seat is None else seat.state) in _NEEDING for seat in seats)
        return Demand(needing, pool.available(self.seats.at))

    def _users(self) -> list[Holder]:
        return [self.people[self.tenant_id, key] for key in dict.fromkeys(self.command.users)]

    def _codes(self) -> list[str]:
        return list(dict.fromkeys(self.command.codes))


def _id(pool: Pool) -> int:
    return pool.id
