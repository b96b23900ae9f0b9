"""A modelled tenant to try things on: the model, with numbers for what it has made, and short ways of asking it."""

from datetime import UTC, datetime
from typing import Any

from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    Command,
    GroupPut,
    PutGroups,
    PutUsers,
    UserPut,
)
from domain.license_commands import ChangeSeats, LicenseKind, LicensePut, PutLicenses, SeatChange, SeatOp, Shortage
from tests.support.invariants import assert_sound
from tests.support.model import Model
from tests.support.model_rows import Document, Unknown

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Modelled:
    """People `u1`, `u2`, … in groups `g1`, `g2` and pools as they are asked for; sound after every operation."""

    def __init__(self, *, people: int = 3) -> None:
        self.model = Model(lambda kind, number: Unknown(kind, (number, "")))
        self._operations = 0
        self.run(PutGroups(items=(GroupPut(key="g1", name="One"), GroupPut(key="g2", name="Two"))))
        self.run(PutUsers(items=tuple(UserPut(key=f"u{n}", username=f"u{n}") for n in range(1, people + 1))))

    def run(self, command: Command, *, at: datetime = NOON) -> list[Document]:
        """Apply the command; its outcomes."""
        self._operations += 1
        _, document = self.model.apply(command, f"o{self._operations}", at=at)
        assert_sound(self.model.state() | self.model.license_state(), self.model.events)
        outcomes: list[Document] = document["items"]
        return outcomes

    def pool(self, key: str = "l1", capacity: int | None = 1, *, at: datetime = NOON, **fields: Any) -> Document:
        """A program licence as it is to be, or a bundle where it has a code."""
        kind = LicenseKind.BUNDLE if "code" in fields else LicenseKind.PROGRAM
        put = LicensePut(key=key, name=key, kind=kind, capacity=capacity, **fields)
        return self.run(PutLicenses(items=(put,)), at=at)[0]

    def user(self, key: str, **fields: Any) -> Document:
        """A person as they are to be."""
        return self.run(PutUsers(items=(UserPut(key=key, username=key, **fields),)))[0]

    def join(self, group: str, *users: str) -> None:
        """They become members."""
        self._members(AssignmentOp.ASSIGN, group, users)

    def leave(self, group: str, *users: str) -> None:
        """They are members no more."""
        self._members(AssignmentOp.UNASSIGN, group, users)

    def _members(self, op: AssignmentOp, group: str, users: tuple[str, ...]) -> None:
        items = tuple(AssignmentChange(op=op, group=group, user=user, role="member") for user in users)
        assert all("code" not in outcome for outcome in self.run(ChangeAssignments(items=items)))

    def assign(self, *users: str, license_key: str = "l1", waitlist: bool = False) -> list[Document]:
        """They ask for a seat of their own."""
        items = tuple(SeatChange(op=SeatOp.ASSIGN, license=license_key, user=user) for user in users)
        return self.run(ChangeSeats(items=items, shortage=Shortage.WAITLIST if waitlist else Shortage.REJECT))

    def unassign(self, *users: str, license_key: str = "l1") -> list[Document]:
        """They give it back."""
        items = tuple(SeatChange(op=SeatOp.UNASSIGN, license=license_key, user=user) for user in users)
        return self.run(ChangeSeats(items=items))

    def change(self, user: str, license_key: str = "l1", *, waitlist: bool = False, **sent: Any) -> Document:
        """What the catalogue does for one person."""
        change = SeatChange(
            op=SeatOp.SET, license_id=self.license_id(license_key), user_id=_number(self.model.users[user]), sent=sent
        )
        return self.run(ChangeSeats(items=(change,), shortage=Shortage.WAITLIST if waitlist else Shortage.REJECT))[0]

    def license_id(self, key: str = "l1") -> int:
        """The pool's number."""
        return _number(self.model.licenses[key])

    def group_id(self, key: str = "g1") -> int:
        """The group's number."""
        return _number(self.model.groups[key])

    def grant_id(self, group: str = "g1", license_key: str = "l1") -> int:
        """The grant's number."""
        found = (one for one in self.model.grants.values() if (one["group"], one["license"]) == (group, license_key))
        return _number(next(found))

    def states(self, license_key: str = "l1") -> dict[str, int]:
        """Who has what of a licence: 1 active, 2 queued, 3 blocked, 4 parked, 5 suspended."""
        rows = self.model.entitlement_rows()
        return {person: row["state"] for (key, person), row in rows.items() if key == license_key}

    def sources(self, person: str, license_key: str = "l1") -> set[str]:
        """Why a person has a licence: names of groups, and `direct`."""
        return set(self.model.entitlement_rows()[license_key, person]["sources"])

    def heard(self) -> list[str]:
        """The types of the last operation's events but for its end, in order."""
        return [e["type"] for e in self.model.events if e["operation"] == f"o{self._operations}"][:-1]


def _number(row: Document) -> int:
    number: int = row["id"].name[0]
    return number
