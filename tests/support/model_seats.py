"""What follows for the model's entitlements from whatever an item did: sources, quotas, places in the waiting list.

One rule: an item is judged by its end. It moves rows about as it likes; then `_settle` brings everything to rest, and
what is announced is the difference.
"""

import copy
from typing import Any

from tests.support.model_rows import Document, ModelRows, Unknown, Written

ACTIVE, QUEUED, BLOCKED, PARKED, SUSPENDED = 1, 2, 3, 4, 5
SHOWN = {ACTIVE: "active", QUEUED: "waiting", BLOCKED: "waiting", PARKED: "waiting", SUSPENDED: "suspended"}
DIRECT = "direct"
_NOBODY = Unknown("~", 0)  # behind every id of a person: addresses wait behind people who asked with them


class ModelSeats(ModelRows):
    """Entitlements: one row for a licence and a person, with all its sources by grant, or DIRECT."""

    def entitlement_rows(self) -> Document:
        """The entitlements as their table holds them, by licence and person or folded address."""
        return {
            (row["license"], row["user"] or row["email"].casefold()): {
                name: row[name]
                for name in ("id", "email", "state", "redirect_to", "metadata", "created_at", "updated_at")
            }
            | {"asked": Unknown("seq", row["asked"]), "sources": self._source_rows(row)}
            for row in self.entitlements.values()
        }

    def _source_rows(self, row: Document) -> Document:
        return {
            source["group"]["key"] if "group" in source else DIRECT: {
                "operation": source["operation"],
                "seq": Unknown("seq", source["seq"]),
                "since": source["since"],
                "blocked": source["blocked"],
            }
            for source in row["sources"].values()
        }

    def _row(self, license_key: str, user: str | None = None, email: str | None = None) -> Document | None:
        rows = (row for row in self.entitlements.values() if row["license"] == license_key)
        if user is not None:
            return next((row for row in rows if row["user"] == user), None)
        return next((row for row in rows if row["email"] and row["email"].casefold() == str(email).casefold()), None)

    def _asks(self, license_key: str, *, user: str | None = None, email: str | None = None) -> Document:
        """A new row; whether it gets a seat is decided when the item comes to rest."""
        row = self._born("entitlement", license=license_key, user=user, email=email, state=QUEUED, asked=self._turn)
        row |= {"pool": named(self.licenses, license_key), "holder": user and named(self.users, user)}
        row |= {"redirect_to": None, "metadata": None, "created_at": self._instant(), "sources": {}}
        self.entitlements[row["id"]] = row
        return row

    def _asks_again(self, row: Document) -> None:
        row["state"], row["asked"] = QUEUED, self._turn

    def _adds(self, row: Document, source: Unknown | str, *, blocked: bool = False, **more: Any) -> None:
        """A source that is there already stays as it was."""
        new = {"operation": self._operation, "seq": self._turn, "since": self._instant(), "blocked": blocked, **more}
        row["sources"].setdefault(source, new)

    def _gives_to(self, grant: Document, user: str) -> None:
        """The person has the licence through the grant from now on, or waits for it."""
        full = grant["quota"] is not None and self._in_quota(grant) >= grant["quota"]
        row = self._row(grant["license"], user) or self._asks(grant["license"], user=user)
        self._adds(row, grant["id"], blocked=full, group=named(self.groups, grant["group"]))

    def _takes_from(self, grant: Document, user: str | None = None) -> None:
        for row in self.entitlements.values():
            if user is None or row["user"] == user:
                row["sources"].pop(grant["id"], None)

    def _in_quota(self, grant: Document) -> int:
        return sum(not source["blocked"] for _, source in self._sources_of(grant))

    def _sources_of(self, grant: Document) -> list[tuple[Document, Document]]:
        rows = (row for row in self.entitlements.values() if grant["id"] in row["sources"])
        return sorted(((row, row["sources"][grant["id"]]) for row in rows), key=self._age)

    def _age(self, held: tuple[Document, Document]) -> tuple[int, Unknown]:
        row, source = held
        return source["seq"], self._person(row)

    def _is_giving(self, grant: Document) -> bool:
        return bool(grant["active"]) and not grant["hold"]

    def _gives(self, pool: Document) -> bool:
        return bool(pool["active"]) and not self._has_expired(pool)

    def _has_expired(self, pool: Document) -> bool:
        return pool["expires_at"] is not None and pool["expires_at"] <= self._now

    def _has_started(self, pool: Document) -> bool:
        return pool["starts_at"] is None or pool["starts_at"] <= self._now

    def _count(self, license_key: str, *states: int) -> int:
        return sum(row["license"] == license_key and row["state"] in states for row in self.entitlements.values())

    def _available(self, license_key: str) -> int | None:
        """Seats for newcomers, none where the pool does not give; None is without limit."""
        pool = self.licenses[license_key]
        if not self._gives(pool):
            return 0
        if pool["capacity"] is None:
            return None
        return max(0, pool["capacity"] - self._count(license_key, ACTIVE, QUEUED))

    def _counts(self, key: str) -> Document:
        capacity = self.licenses[key]["capacity"]
        used, queued = self._count(key, ACTIVE), self._count(key, QUEUED)
        waiting = self._count(key, QUEUED, BLOCKED, PARKED)
        return {"capacity": capacity, "used": used, "reserved": 0, "queued": queued, "waiting": waiting}

    def _told_counts(self, key: str) -> Document:
        counts = self._counts(key)
        return {name: counts[name] for name in ("capacity", "used", "reserved", "waiting")}

    def _queue(self, license_key: str) -> list[Document]:
        """Who waits for a seat, the next one first."""
        rows = (row for row in self.entitlements.values() if row["license"] == license_key and row["state"] == QUEUED)
        return sorted(rows, key=lambda row: (row["asked"], self._person(row), row["id"]))

    def _person(self, row: Document) -> Unknown:
        return row["holder"]["id"] if row["holder"] else _NOBODY

    def _stands(self) -> Document:
        """What an item may change of licences."""
        self._touched: set[str] = set()
        return {"members": self._members(), "rows": copy.deepcopy(self.entitlements)}

    def _settle(self, before: Document) -> None:
        """Bring everything to rest after an item, and say what it has changed."""
        self._follow_members(before["members"])
        for number, row in list(self.entitlements.items()):
            row["sources"] = {of: source for of, source in row["sources"].items() if of == DIRECT or of in self.grants}
            if not row["sources"]:
                del self.entitlements[number]
        for grant in self.grants.values():
            self._unblock(grant)
        for row in self.entitlements.values():
            self._restate(row)
        for key, pool in self.licenses.items():
            self._promote(key, pool)
        for key in sorted(self._touched, key=lambda key: self.licenses[key]["id"]):
            data = {"license": named(self.licenses, key), "active": self.licenses[key]["active"]}
            self._say("license.updated", f"licenses/{key}", data | {"counts": self._told_counts(key)})
        self._say_rows(before["rows"])

    def _follow_members(self, before: set[tuple[str, str]]) -> None:
        now = self._members()
        for grant in self.grants.values():
            for _, user in sorted(member for member in before - now if member[0] == grant["group"]):
                self._takes_from(grant, user)
            for _, user in sorted(member for member in now - before if member[0] == grant["group"]):
                if self._is_giving(grant):
                    self._gives_to(grant, user)

    def _unblock(self, grant: Document) -> None:
        free = len(self.users) if grant["quota"] is None else grant["quota"] - self._in_quota(grant)
        for _, source in [held for held in self._sources_of(grant) if held[1]["blocked"]][:free]:
            source["blocked"] = False

    def _restate(self, row: Document) -> None:
        if row["state"] == SUSPENDED:
            return
        if self._is_idle(row):
            row["state"] = PARKED
        elif row["state"] == PARKED:
            self._asks_again(row)
        if row["state"] != PARKED and all(source["blocked"] for source in row["sources"].values()):
            row["state"] = BLOCKED
        elif row["state"] == BLOCKED:
            row["state"] = QUEUED

    def _is_idle(self, row: Document) -> bool:
        """Whose it is, is known and not active."""
        return row["user"] is not None and not self.users[row["user"]]["active"]

    def _promote(self, key: str, pool: Document) -> None:
        if self._gives(pool):
            waiting = self._queue(key)
            free = len(waiting) if pool["capacity"] is None else pool["capacity"] - self._count(key, ACTIVE)
            for row in waiting[:free]:
                row["state"] = ACTIVE

    def _say_rows(self, before: dict[Unknown, Document]) -> None:
        for number in sorted(before.keys() | self.entitlements.keys()):
            old, new = before.get(number), self.entitlements.get(number)
            if old is not None and new is None:
                self._say_row("entitlement.revoked", old, "ended")
            elif new is not None and _told(old) != _told(new):
                self._say_row(_event_of(old, new), new, SHOWN[new["state"]])
            if new is not None and _kept(old) != _kept(new):
                new["updated_at"] = self._instant()

    def _say_row(self, event_type: str, row: Document, state: str) -> None:
        pool, user = row["pool"], row["holder"]
        data = {
            "license": pool,
            "user": user,
            "assignment_id": row["id"],
            "state": state,
            "sources": [{"type": "direct"}] * (DIRECT in row["sources"])
            + [{"type": "group", "group": group} for group in groups_of(row)],
        }
        holder = f"users/{user['key']}" if user else row["id"]
        subject: Any = f"licenses/{pool['key']}/{holder}"
        if user is None:
            subject = Written((f"licenses/{pool['key']}/assignments/", row["id"]))
        self._say(event_type, subject, data)


def named(rows: dict[str, Document], key: str) -> Document:
    """How a row is called in events and answers."""
    return {"id": rows[key]["id"], "key": key}


def groups_of(row: Document) -> list[Document]:
    """The groups that give the licence, in the order of their ids."""
    groups = (source["group"] for source in row["sources"].values() if "group" in source)
    return sorted(groups, key=lambda group: group["id"])


def _told(row: Document | None) -> Any:
    """What subscribers can see of a row."""
    return row and (row["state"], row["user"], set(row["sources"]), row["redirect_to"], repr(row["metadata"]))


def _kept(row: Document | None) -> Any:
    return _told(row)


def _event_of(old: Document | None, new: Document) -> str:
    was, now = old and old["state"], new["state"]
    if was == now:
        return "license_assignment.updated"
    if now == SUSPENDED:
        return "entitlement.revoked" if was else "license_assignment.updated"
    return "entitlement.granted" if now == ACTIVE else "entitlement.waiting"
