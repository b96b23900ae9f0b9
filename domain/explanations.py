"""Why a person has a licence, or what they wait for: one answer, for whoever asks.

One rule: no source is left out, and nobody waits without it being said for what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.entitlements import Named, State
from domain.errors import JSON
from domain.outcomes import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One source: a group that gives the licence, or (None) the person's own assignment."""

    group: Named | None
    since: datetime
    operation_id: UUID

    @property
    def document(self) -> dict[str, JSON]:
        """As callers see it."""
        why: dict[str, JSON] = {"type": "direct"}
        if self.group is not None:
            why = {"type": "group", "group": self.group.document}
        return {**why, "since": timestamp(self.since), "operation_id": str(self.operation_id)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One person's entitlement to one licence; `user` None is an e-mail address whose person is not known.

    `position` is None for who waits for no seat, and beyond what is counted; `position_beyond` then says how far that
    was. `until` is when the licence expires.
    """

    id: int
    license: Named
    user: Named | None
    email: str | None
    state: State
    license_gives: bool
    position: int | None
    since: datetime
    until: datetime | None
    reasons: Sequence[Reason]
    position_beyond: int | None = None

    @property
    def waiting_for(self) -> str | None:
        """What has to come first: a seat, a place in a quota, the user, or the licence itself."""
        match self.state:
            case State.QUEUED:
                return "seat" if self.license_gives else "license"
            case State.BLOCKED:
                return "quota"
            case State.PARKED:
                return "user"
            case _:
                return None

    @property
    def document(self) -> dict[str, JSON]:
        """As callers see it; what says nothing is left out."""
        said: dict[str, JSON] = {
            "id": self.id,
            "license": self.license.document,
            "user": None if self.user is None else self.user.document,
            "email": self.email if self.user is None else None,
            "state": self.state.shown,
            "position": self.position,
            "position_beyond": self.position_beyond,
            "waiting_for": self.waiting_for,
            "since": timestamp(self.since),
            "until": None if self.until is None else timestamp(self.until),
            "sources": [reason.document for reason in self.reasons],
        }
        return {name: value for name, value in said.items() if value is not None or name == "user"}
