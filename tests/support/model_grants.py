"""The model's licences of groups: set, held back, withdrawn, removed, and brought to what they say."""

import copy
from typing import Any

from domain.license_commands import RemoveGroupLicense, ReprocessGroup, SetGroupLicense
from tests.support.model_direct import ModelDirect
from tests.support.model_rows import Document, refused
from tests.support.model_seats import ACTIVE, BLOCKED, DIRECT, PARKED, QUEUED, SUSPENDED, named

_FIELDS = ("active", "hold", "shortage", "redirect_to", "metadata")


class ModelGrants(ModelDirect):
    """Grants by id; one of a licence and a group."""

    def license_state(self) -> Document:
        """Everything that the tables of licences hold of this tenant."""
        return {"licenses": self.pools(), "grants": self.grant_rows(), "entitlements": self.entitlement_rows()}

    def grant_rows(self) -> Document:
        """The grants as their table holds them, by group and licence."""
        return {
            (grant["group"], grant["license"]): {
                name: grant[name] for name in grant if name not in {"group", "license"}
            }
            | self._grant_counts(grant)
            | {"in_quota": self._in_quota(grant)}
            for grant in self.grants.values()
        }

    def _grant_counts(self, grant: Document) -> Document:
        states = [row["state"] for row, _ in self._sources_of(grant)]
        return {
            "assigned": states.count(ACTIVE),
            "waiting": sum(states.count(state) for state in (QUEUED, BLOCKED, PARKED)),
            "suspended": states.count(SUSPENDED),
        }

    def _member_list(self, group: str) -> list[str]:
        """A group's members in the order of their ids."""
        return sorted({user for of, user in self._members() if of == group}, key=lambda user: self.users[user]["id"])

    def _lacking(self, license_key: str, users: list[str]) -> int:
        """How many of them a grant would need a seat for."""
        rows = [self._row(license_key, user) for user in users]
        return sum(row is None or row["state"] == BLOCKED for row in rows)

    def _grant(self, group: str, license_key: str) -> Document | None:
        found = (one for one in self.grants.values() if (one["group"], one["license"]) == (group, license_key))
        return next(found, None)

    def _new_grant(self, group: str, license_key: str, **fields: Any) -> Document:
        grant = self._born("grant", group=group, license=license_key, active=True, hold=False, shortage="reject")
        grant |= {"quota": None, "redirect_to": None, "metadata": None, "created_at": self._instant()}
        self.grants[grant["id"]] = grant | {"updated_at": self._instant()} | fields
        return self.grants[grant["id"]]

    def _give_all(self, grant: Document) -> None:
        for user in self._member_list(grant["group"]):
            self._gives_to(grant, user)

    def _set_group_license(self, command: SetGroupLicense) -> Any:
        key = self._program(command.license_id)
        group = self._key_of("group", self.groups, command.group_id)
        if key is None:
            return refused("LICENSE_DOES_NOT_EXIST", "license")
        if group is None:
            return refused("USER_GROUP_DOES_NOT_EXIST", "group")
        old = self._grant(group, key)
        sent = {name: value for name, value in command.sent.items() if name in _FIELDS}
        wanted = (old or {"active": True, "hold": False, "shortage": "reject"}) | sent
        gave, gives = bool(old and self._is_giving(old)), self._is_giving(wanted)
        demand: Document = {"requested": 0, "available": None, "would_wait": 0}
        if gives and not gave:
            demand = self._demand(key, self._member_list(group))
            problem = self._cannot_give(key, wanted["shortage"], demand)
            if problem is not None:
                return problem
        grant = old or self._new_grant(group, key)
        if any(repr(grant[name]) != repr(sent[name]) for name in sent):
            grant |= sent | {"updated_at": self._instant()}
        if gives and not gave:
            self._give_all(grant)
        if gave and not gives:
            self._takes_from(grant)
        return lambda: (
            {
                "outcome": "group_license",
                "created": old is None,
                "group_license": self._group_license(grant),
            }
            | demand
        )

    def _demand(self, license_key: str, users: list[str]) -> Document:
        requested, available = self._lacking(license_key, users), self._available(license_key)
        would_wait = 0 if available is None else max(0, requested - available)
        return {"requested": requested, "available": available, "would_wait": would_wait}

    def _cannot_give(self, license_key: str, shortage: str, demand: Document) -> Document | None:
        pool = self.licenses[license_key]
        if not pool["active"]:
            return refused("LICENSE_IS_NOT_ACTIVE", "license")
        if self._has_expired(pool):
            return refused("LICENSE_EXPIRED", "license")
        if shortage == "reject" and demand["would_wait"]:
            wanted = {name: demand[name] for name in ("requested", "available")}
            return refused("NOT_ENOUGH_SEATS", "license", **wanted)
        return None

    def _remove_group_license(self, command: RemoveGroupLicense) -> Document:
        number = self._find("grant", command.assignment_id)
        grant = self.grants.get(number) if number else None
        if grant is None or self.licenses[grant["license"]]["kind"] != "program":
            return refused("GROUP_LICENSE_DOES_NOT_EXIST", "assignment")
        if not command.remove_users:
            for row, source in self._sources_of(grant):
                self._turns_direct(row, source)
        del self.grants[grant["id"]]
        group, pool = named(self.groups, grant["group"]), named(self.licenses, grant["license"])
        return {"outcome": "group_license_removed", "id": grant["id"], "group": group, "license": pool}

    def _turns_direct(self, row: Document, source: Document) -> None:
        inherited = {name: source[name] for name in ("operation", "seq", "since")} | {"blocked": False}
        known = row["sources"].setdefault(DIRECT, inherited)
        row["sources"][DIRECT] = min(known, inherited, key=lambda one: one["seq"])

    def _reprocess(self, command: ReprocessGroup) -> Document:
        """Everything is as it should be already: the model forgets nobody."""
        if command.group not in self.groups:
            return refused("USER_GROUP_DOES_NOT_EXIST", "key")
        members = self._counted(command.group, self.groups[command.group])["user_count"]
        group = named(self.groups, command.group)
        return {"outcome": "reprocessed", "group": group, "user_count": members, "given": 0, "taken": 0}

    def _group_license(self, grant: Document) -> Document:
        """A grant as answers show it."""
        pool, group = self.licenses[grant["license"]], self.groups[grant["group"]]
        counts = self._grant_counts(grant)
        members = len(self._member_list(grant["group"]))
        held = ("name", "kind", "program_key", "program_name", "starts_at")
        return (
            {
                "id": grant["id"],
                "group": named(self.groups, grant["group"]) | {"name": group["name"]},
                "license": named(self.licenses, grant["license"]) | {name: pool[name] for name in held},
                "created_at": grant["created_at"],
                "modified_at": grant["updated_at"],
                "fulfilled": self._is_whole(grant),
                "user_count": members,
            }
            | {name: grant[name] for name in _FIELDS}
            | {f"{name}_count": count for name, count in counts.items()}
        )

    def _is_whole(self, grant: Document) -> bool:
        """The licence has started and every member holds a seat of it."""
        members, assigned = len(self._member_list(grant["group"])), self._grant_counts(grant)["assigned"]
        return self._is_giving(grant) and assigned == members and self._has_started(self.licenses[grant["license"]])

    def _tell(self) -> Document:
        """What an operation may change of grants and pools."""
        grants = {number: (self._told_grant(grant), copy.copy(grant)) for number, grant in self.grants.items()}
        pools = {key: (self._told_counts(key), self._gives(pool)) for key, pool in self.licenses.items()}
        return {"grants": grants, "pools": pools}

    def _say_counts(self, before: Document) -> None:
        """What the operation as a whole has done to counts: of groups that went one after the other, in that order."""
        grants = {number: self._told_grant(grant) for number, grant in self.grants.items()}
        went = {key: place for place, key in enumerate(self._gone)}
        of = {number: grant["group"] for number, (_, grant) in before["grants"].items()}
        for number in sorted(before["grants"].keys() | grants.keys(), key=lambda n: (went.get(of.get(n), 0), n)):
            old, fields = before["grants"].get(number, (None, None))
            new = grants.get(number)
            if new is None:
                none = {"assigned": 0, "waiting": 0, "suspended": 0}
                self._say_grant(old | {"fulfilled": False, "counts": old["counts"] | none, "deleted": True})
            elif (
                _without_members(old) != _without_members(new)
                or repr(fields) != repr(self.grants[number])
                or (new["fulfilled"] and new["license"]["key"] in self._started)
            ):
                self._say_grant(new)
        for key, (counts, gave) in before["pools"].items():
            if key in self.licenses:
                self._say_pool(key, counts, gave=gave)

    def _say_grant(self, told: Document) -> None:
        self._say("group_license.updated", f"groups/{told['group']['key']}/licenses/{told['license']['key']}", told)

    def _say_pool(self, key: str, old: Document, *, gave: bool) -> None:
        """Seats of a pool that does not give are free, but nobody can have them: they are not available."""
        new, gives = self._told_counts(key), self._gives(self.licenses[key])
        subject, data = f"licenses/{key}", {"license": named(self.licenses, key), "counts": new}
        for mark in (75, 100):
            if _percent(old) < mark <= _percent(new):
                self._say("license.utilisation", subject, data | {"percent": mark})
        if _has_free(old) and not _has_free(new):
            self._say("license.exhausted", subject, data)
        if gives and _has_free(new) and not (gave and _has_free(old)):
            self._say("license.available", subject, data)

    def _told_grant(self, grant: Document) -> Document:
        members, counts = len(self._member_list(grant["group"])), self._grant_counts(grant)
        return {
            "license": named(self.licenses, grant["license"]),
            "group": named(self.groups, grant["group"]),
            "assignment_id": grant["id"],
            "active": grant["active"],
            "fulfilled": self._is_whole(grant),
            "counts": {"user_count": members, **counts},
        }


def _without_members(told: Document | None) -> Any:
    return told and (told["counts"] | {"user_count": 0}, told["fulfilled"])


def _percent(counts: Document) -> int:
    if counts["capacity"] is None:
        return 0
    taken: int = counts["used"] + counts["reserved"]
    return taken * 100 // counts["capacity"] if counts["capacity"] else 100


def _has_free(counts: Document) -> bool:
    return counts["capacity"] is None or counts["used"] + counts["reserved"] < counts["capacity"]
