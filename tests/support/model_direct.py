"""The model's direct assignments: one person and one licence, asked for by keys or by the catalogue's numbers."""

from typing import Any

from domain.license_commands import ChangeSeats, SeatChange
from tests.support.model_pools import ModelPools
from tests.support.model_rows import Document, refused
from tests.support.model_seats import ACTIVE, BLOCKED, DIRECT, QUEUED, SHOWN, SUSPENDED, groups_of, named

Person = dict[str, str | None]


class ModelDirect(ModelPools):
    """`_change_seat` is the door; what the caller sees is made after the item has come to rest."""

    def _change_seat(self, item: SeatChange, command: ChangeSeats) -> Any:
        op = item.op.value
        if op == "remove":
            return self._remove_seat(item)
        key = item.license if op in {"assign", "unassign"} else self._program(item.license_id)
        if key is None or key not in self.licenses:
            return refused("LICENSE_DOES_NOT_EXIST", _field_of_license(item))
        person = self._named(item)
        if "code" in person:
            return person
        row = self._row(key, **person)
        if op == "unassign":
            return self._unassign(row)
        waits = command.shortage.value == "waitlist"
        if op == "assign":
            return self._request(key, person, row, item, waits=waits)
        return self._set(key, person, row, item, waits=waits)

    def _named(self, item: SeatChange) -> Document:
        """Whom the item means: a known user, or an address that nobody known has; or why nobody."""
        asked = [
            ("user", item.user, item.user),
            ("user_id", item.user_id, self._key_of("user", self.users, item.user_id)),
            ("username", item.username, self._having("username", item.username)),
        ]
        field, _, user = next(((f, w, u) for f, w, u in asked if w is not None), ("email", None, None))
        if user in self.users:
            return {"user": user}
        if item.email is None or field == "user":
            return refused("USER_DOES_NOT_EXIST", field)
        user = self._having("email", item.email)
        return {"user": user} if user else {"email": item.email}

    def _having(self, field: str, name: str | None) -> str | None:
        folded = name.casefold() if name else None
        return next((key for key, user in self.users.items() if (user[field] or "").casefold() == folded), None)

    def _key_of(self, kind: str, rows: dict[str, Document], number: int | None) -> str | None:
        found = None if number is None else self._find(kind, number)
        return next((key for key, row in rows.items() if found is not None and row["id"] == found), None)

    def _set(self, key: str, person: Person, row: Document | None, item: SeatChange, *, waits: bool) -> Any:
        active, is_indirect = item.sent.get("active"), item.sent.get("direct") is False
        if is_indirect and (row is None or (active is not False and not groups_of(row))):
            return refused("NO_GROUP_SOURCE", "direct")
        if active is False:
            return self._suspend(key, person, row, item)
        stays = row is not None and row["state"] == SUSPENDED and active is None
        if stays or (is_indirect and row["state"] != SUSPENDED):
            return self._updated(row, item, created=False, available=self._available(key))
        return self._request(key, person, row, item, waits=waits)

    def _suspend(self, key: str, person: Person, row: Document | None, item: SeatChange) -> Any:
        created = row is None
        if row is None:
            row = self._asks(key, **person)
            self._adds(row, DIRECT)
        if DIRECT not in row["sources"]:
            return refused("INHERITED_ASSIGNMENT", "active", groups=groups_of(row))
        if groups_of(row) and row["state"] != SUSPENDED:
            del row["sources"][DIRECT]
        else:
            row["state"] = SUSPENDED
        return self._updated(row, item, created=created)

    def _request(self, key: str, person: Person, row: Document | None, item: SeatChange, *, waits: bool) -> Any:
        available, holds = self._available(key), row is not None and row["state"] == ACTIVE
        if row is not None and DIRECT in row["sources"] and row["state"] != SUSPENDED:
            return self._updated(row, item, created=False, available=available)
        problem = self._cannot_ask(key, person, item)
        if problem is None and not (waits or holds or available is None or available):
            problem = refused("NOT_ENOUGH_SEATS", requested=1, available=available)
        if problem is not None:
            return problem
        created = row is None or DIRECT not in row["sources"]
        if row is None:
            row = self._asks(key, **person)
        elif row["state"] == SUSPENDED:
            self._asks_again(row)
        self._adds(row, DIRECT)
        return self._updated(row, item, created=created, available=available)

    def _cannot_ask(self, key: str, person: Person, item: SeatChange) -> Document | None:
        pool, user = self.licenses[key], person.get("user")
        if user is not None and not self.users[user]["active"]:
            names = ("user", "user_id", "username")
            return refused("USER_IS_NOT_ACTIVE", next((name for name in names if getattr(item, name)), "email"))
        if not pool["active"]:
            return refused("LICENSE_IS_NOT_ACTIVE", _field_of_license(item))
        return refused("LICENSE_EXPIRED", _field_of_license(item)) if self._has_expired(pool) else None

    def _updated(self, row: Document, item: SeatChange, *, created: bool, **more: Any) -> Any:
        row |= {name: value for name, value in item.sent.items() if name in {"redirect_to", "metadata"}}
        return lambda: {"outcome": "seat", "created": created, "seat": self._seat(row), **more}

    def _remove_seat(self, item: SeatChange) -> Document:
        row = self.entitlements.get(self._find("entitlement", item.assignment_id or 0))
        if row is not None and self.licenses[row["license"]]["kind"] != "program":
            row = None
        return self._unassign(row, "assignment_id")

    def _unassign(self, row: Document | None, field: str | None = None) -> Document:
        if row is None:
            return refused("LICENSE_ASSIGNMENT_DOES_NOT_EXIST", field)
        if DIRECT not in row["sources"]:
            return refused("INHERITED_ASSIGNMENT", field, groups=groups_of(row))
        self._withdraw_direct(row)
        shown = {"id": row["id"], "license": row["pool"], "user": row["holder"]}
        return {"outcome": "seat_removed", **shown} | ({} if row["user"] else {"email": row["email"]})

    def _withdraw_direct(self, row: Document) -> None:
        del row["sources"][DIRECT]
        if row["state"] == SUSPENDED:
            self._asks_again(row)

    def _seat(self, row: Document) -> Document:
        """A row as answers show it."""
        user, pool = row["user"], self.licenses[row["license"]]
        shown = ("id", "username", "first_name", "last_name", "email", "active")
        person = {"key": user} | {name: self.users[user][name] for name in shown} if user else None
        held = ("name", "kind", "program_key", "program_name", "starts_at")
        seat = {
            "state": SHOWN[row["state"]],
            "user": person,
            "license": named(self.licenses, row["license"]) | {name: pool[name] for name in held},
            "direct": DIRECT in row["sources"],
            "groups": groups_of(row),
            "fulfilled": row["state"] == ACTIVE and user is not None and self._has_started(pool),
            "modified_at": row["updated_at"],
        } | {name: row[name] for name in ("id", "email", "redirect_to", "metadata", "created_at")}
        if row["state"] == QUEUED and row["asked"] == self._turn:
            seat["position"] = [one["id"] for one in self._queue(row["license"])].index(row["id"]) + 1
        return seat

    def _bind(self, user: str) -> None:
        """The person has this address from now on: what was given to it is theirs."""
        address = (self.users[user]["email"] or "").casefold()
        rows = [row for row in self.entitlements.values() if row["email"] and row["email"].casefold() == address]
        for row in rows if address else []:
            theirs = self._row(row["license"], user)
            if theirs is None:
                row |= {"user": user, "holder": named(self.users, user), "email": None}
            else:
                self._merge(theirs, row)
                del self.entitlements[row["id"]]

    def _merge(self, row: Document, other: Document) -> None:
        """One row of two: the older place of those who have one, which somebody who is not active has not."""
        placed = [one for one in (row, other) if one["state"] in {ACTIVE, QUEUED, BLOCKED} and not self._is_idle(one)]
        row["state"] = min(row["state"], other["state"])
        row["asked"] = min((one["asked"] for one in placed), default=row["asked"])
        for of, source in other["sources"].items():
            known = row["sources"].setdefault(of, source)
            row["sources"][of] = min(known, source, key=lambda one: one["seq"])
        for name in ("redirect_to", "metadata"):
            row[name] = other[name] if row[name] is None else row[name]


def _field_of_license(item: SeatChange) -> str:
    return "license" if item.license is not None else "license_id"
