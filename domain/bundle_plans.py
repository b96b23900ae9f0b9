"""Decides what becomes of a group's bundles: its set of codes is replaced as a whole, all of it or nothing.

The order of checks: account, group, codes, quotas of codes that are not in the set, quantities, quotas below usage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.entitlements import Named
from domain.errors import JSON, ErrorCode, Refusal
from domain.events import ORDER, Event, EventRun, EventType, Told
from domain.license_commands import ReplaceGroupBundles
from domain.outcomes import Reported
from domain.planning import in_order
from domain.seat_rows import Grant, Group, Pool
from domain.user_bundles import Demand, exceeded, unknown_code

_OF_POOLS = frozenset({EventType.LICENSE_UTILISATION, EventType.LICENSE_EXHAUSTED, EventType.LICENSE_AVAILABLE})
_LAST = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePlan:
    """A command beside what there is: the tenant's bundles and the group's grants of them, by code."""

    command: ReplaceGroupBundles
    pools: Mapping[str, Pool]
    group: Group
    grants: Mapping[str, Grant]

    @property
    def codes(self) -> list[str]:
        """The codes that are asked for, once each, in their order."""
        return list(dict.fromkeys(self.command.codes))

    @property
    def added(self) -> list[str]:
        """Codes that the group does not have yet."""
        return [code for code in self.codes if code not in self.grants]

    @property
    def gone(self) -> list[Grant]:
        """What the group has and shall not have any more."""
        return sorted((grant for code, grant in self.grants.items() if code not in self.command.codes), key=_id)

    @property
    def limited(self) -> list[tuple[Grant, int | None]]:
        """What the group keeps with another quota than it has."""
        kept = [(grant, self.command.quotas.get(code)) for code, grant in self.grants.items() if code in self.codes]
        return sorted(((grant, quota) for grant, quota in kept if grant.quota != quota), key=_grant_id)

    @property
    def places(self) -> list[int]:
        """Quotas of added codes that do not suffice for all members."""
        quotas = self.command.quotas
        return [quotas[code] for code in self.added if code in quotas and quotas[code] < self.group.user_count]

    def usage(self, grant: Grant) -> int:
        """How many members are within its quota, counting those whom a running fan-out has yet to reach."""
        return self.group.user_count if grant.quota is None else min(grant.quota, self.group.user_count)

    def refusal_of_form(self) -> Refusal | None:
        """Codes that do not exist, and quotas of codes that are not in the set."""
        stray = next((code for code in self.command.quotas if code not in self.command.codes), None)
        if stray is None:
            return unknown_code(self.codes, self.pools)
        return unknown_code(self.codes, self.pools) or Refusal(
            code=ErrorCode.QUOTA_WITHOUT_BUNDLE, field="quotas", details={"code": stray}
        )

    def refusal_of_quantities(self, demands: Mapping[str, Demand]) -> Refusal | None:
        """More than there is of what is added, or a quota that does not suffice for those who are within it."""
        quotas = self.command.quotas
        codes: dict[str, JSON] = {
            code: {"limit": quotas[code], "current_usage": self.usage(grant)}
            for code, grant in self.grants.items()
            if code in quotas and quotas[code] < self.usage(grant)
        }
        below = Refusal(code=ErrorCode.QUOTA_BELOW_USAGE, field="quotas", details={"codes": codes})
        return exceeded(demands) or (below if codes else None)

    def demand_without_pool(self, code: str) -> Demand:
        """A known code of which the account has no licence."""
        members = self.group.user_count
        return Demand(min(self.command.quotas.get(code, members), members), 0, has_pool=False)

    def outcome(self, grants: Mapping[str, Grant], demands: Mapping[str, Demand]) -> Reported:
        """What is answered; `grants` are those that the group has now, by code."""
        quotas: list[JSON] = [
            {"code": code, "limit": limit, "current_usage": grants[code].in_quota}
            for code, limit in self.command.quotas.items()
        ]
        body: dict[str, JSON] = {
            "group": {**self.group.named.document, "name": self.group.name},
            "codes": list(self.codes),
            "use_external_license": self.command.use_external_license,
            "quotas": quotas,
            "demand": {code: demand.document for code, demand in demands.items()},
        }
        return Reported("group_bundles", body)


def reprocessed(group: Group, *, given: int, taken: int) -> Reported:
    """What reprocessing answers."""
    body: dict[str, JSON] = {"group": Named(group.id, group.key or "").document, "user_count": group.user_count}
    return Reported("reprocessed", body | {"given": given, "taken": taken})


def together(told: Iterable[Told]) -> list[Told]:
    """What several undertakings of one operation tell, as if it had been one: by type, then by id, then the pools."""
    rows: list[Told] = []
    pools: list[Event] = []
    for one in told:
        if isinstance(one, Event) and one.type in _OF_POOLS:
            pools.append(one)
        else:
            rows.append(one)
    return [*sorted(rows, key=_place), *in_order(sorted(pools, key=_license))]


def _place(one: Told) -> tuple[int, int]:
    """Rows that are new have the highest ids."""
    number = _LAST if isinstance(one, EventRun) else one.said().get("assignment_id", _LAST)
    return ORDER[one.type], number if isinstance(number, int) else _LAST


def _license(event: Event) -> int:
    named = event.said()["license"]
    number = named["id"] if isinstance(named, Mapping) else 0
    return number if isinstance(number, int) else 0


def _id(grant: Grant) -> int:
    return grant.id


def _grant_id(limited: tuple[Grant, int | None]) -> int:
    return limited[0].id


def by_code(grants: Sequence[Grant], pools: Mapping[str, Pool]) -> dict[str, Grant]:
    """The grants of these bundles, by code."""
    of_license = {grant.license_id: grant for grant in grants if not grant.is_removed}
    return {code: of_license[pool.id] for code, pool in pools.items() if pool.id in of_license}
