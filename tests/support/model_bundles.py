"""The model's bundles: the codes of a group with their quotas, and the direct codes of people, replaced as a whole."""

from collections.abc import Iterable
from typing import Any

from domain.license_commands import ReplaceGroupBundles, ReplaceUserBundles
from tests.support.model_grants import ModelGrants
from tests.support.model_rows import Document, refused
from tests.support.model_seats import DIRECT, QUEUED, named

KNOWN = [
    "ACNU", "ATTUNU", "RPADEVPRONU", "AKIT", "CTZDEVNU", "AXPNU", "IDU", "PMBU", "PMD", "TSTNU", "RPADEVNU", "ACCU",
    "ATTUCU", "CTZDEVCU", "RPADEVCU", "RPADEVPROCU",
]  # fmt: skip


class ModelBundles(ModelGrants):
    """All or nothing: every check of a request comes before its first change."""

    def _bundles(self) -> dict[str, str]:
        """Codes of the bundle pools, with their keys."""
        return {pool["code"]: key for key, pool in self.licenses.items() if pool["kind"] == "bundle" and pool["code"]}

    def _replace_group_bundles(self, command: ReplaceGroupBundles) -> Any:
        pools, group, quotas = self._bundles(), command.group, dict(command.quotas)
        if not pools:
            return refused("ACCOUNT_DOES_NOT_EXIST")
        if group not in self.groups:
            return refused("USER_GROUP_DOES_NOT_EXIST", "group")
        stray = next((code for code in quotas if code not in command.codes), None)
        problem = self._unknown_code(command.codes) or (
            refused("QUOTA_WITHOUT_BUNDLE", "quotas", code=stray) if stray else None
        )
        if problem is not None:
            return problem
        today = {code: self._grant(group, key) for code, key in pools.items() if self._grant(group, key)}
        members = self._member_list(group)
        added = [code for code in command.codes if code not in today]
        demand = {code: self._bundle_demand(code, members[: quotas.get(code, len(members))]) for code in added}
        problem = self._exceeded(demand) or self._below_usage(quotas, today)
        if problem is not None:
            return problem
        for code, grant in today.items():
            if code not in command.codes:
                del self.grants[grant["id"]]
            if grant["quota"] != quotas.get(code):
                grant |= {"quota": quotas.get(code), "updated_at": self._instant()}
        for code in added:
            self._give_all(self._new_grant(group, pools[code], quota=quotas.get(code)))
        self.groups[group]["use_external_license"] = command.use_external_license
        return lambda: self._group_bundles(command, demand)

    def _unknown_code(self, codes: Iterable[str]) -> Document | None:
        known = {*KNOWN, *self._bundles()}
        unknown = next((code for code in codes if code not in known), None)
        return refused("UNKNOWN_BUNDLE_CODE", "codes", code=unknown) if unknown else None

    def _bundle_demand(self, code: str, users: list[str]) -> Document:
        key = self._bundles().get(code)
        if key is None:
            return {"requested": len(users), "available": 0, "would_wait": len(users)}
        return self._demand(key, users)

    def _exceeded(self, demand: dict[str, Document]) -> Document | None:
        codes = {
            code: {name: need[name] for name in ("requested", "available")}
            for code, need in demand.items()
            if need["would_wait"] or code not in self._bundles()
        }
        return refused("QUANTITIES_EXCEEDED", None, codes=codes) if codes else None

    def _below_usage(self, quotas: dict[str, int], today: dict[str, Document]) -> Document | None:
        codes = {
            code: {"limit": limit, "current_usage": self._in_quota(today[code])}
            for code, limit in quotas.items()
            if code in today and limit < self._in_quota(today[code])
        }
        return refused("QUOTA_BELOW_USAGE", "quotas", codes=codes) if codes else None

    def _group_bundles(self, command: ReplaceGroupBundles, demand: Document) -> Document:
        pools, group = self._bundles(), command.group
        usage = {code: self._in_quota(self._grant(group, pools[code]) or {}) for code in command.quotas}
        return {
            "outcome": "group_bundles",
            "group": named(self.groups, group) | {"name": self.groups[group]["name"]},
            "codes": list(command.codes),
            "use_external_license": command.use_external_license,
            "quotas": [
                {"code": code, "limit": command.quotas[code], "current_usage": usage[code]} for code in command.quotas
            ],
            "demand": demand,
        }

    def _replace_user_bundles(self, command: ReplaceUserBundles) -> Any:
        pools = self._bundles()
        if not pools:
            return refused("ACCOUNT_DOES_NOT_EXIST")
        missing = next((user for user in command.users if user not in self.users), None)
        if missing is not None:
            return refused("USER_DOES_NOT_EXIST", "users", user=missing)
        problem = self._unknown_code(command.codes)
        if problem is not None:
            return problem
        adding = {
            code: [u for u in command.users if not self._has_direct(u, pools.get(code))] for code in command.codes
        }
        idle = next(
            (u for u in command.users if not self.users[u]["active"] and any(u in a for a in adding.values())), None
        )
        if idle is not None:
            return refused("USER_IS_NOT_ACTIVE", "users", user=idle)
        demand = {code: self._people_demand(code, users) for code, users in adding.items()}
        problem = self._exceeded({code: need for code, need in demand.items() if adding[code]})
        if problem is not None:
            return problem
        self._make_direct(command, adding)
        return {
            "outcome": "user_bundles",
            "users": [named(self.users, user) for user in command.users],
            "codes": list(command.codes),
            "use_external_license": command.use_external_license,
            "demand": demand,
        }

    def _has_direct(self, user: str, license_key: str | None) -> bool:
        row = self._row(license_key, user) if license_key else None
        return row is not None and DIRECT in row["sources"]

    def _people_demand(self, code: str, users: list[str]) -> Document:
        """As for a group, but whoever waits through a group needs a seat too: a direct request is not put off."""
        demand, key = self._bundle_demand(code, users), self._bundles().get(code)
        rows = [self._row(key, user) for user in users if key]
        waiting = sum(row is not None and row["state"] == QUEUED for row in rows)
        requested, available = demand["requested"] + waiting, demand["available"]
        would_wait = 0 if available is None else max(0, requested - available)
        return demand | {"requested": requested, "would_wait": would_wait}

    def _make_direct(self, command: ReplaceUserBundles, adding: dict[str, list[str]]) -> None:
        for code, key in self._bundles().items():
            for user in adding.get(code, []):
                self._adds(self._row(key, user) or self._asks(key, user=user), DIRECT)
            for user in command.users if code not in command.codes else ():
                row = self._row(key, user)
                if row is not None and DIRECT in row["sources"]:
                    self._withdraw_direct(row)
