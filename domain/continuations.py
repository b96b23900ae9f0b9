"""Work on any number of members that goes on in chunks, as it stands between two of them.

One rule: what a continuation has promised (seats, places in a quota) it gives to exactly those members whom it has not
reached yet, in the order of their ids, whether a chunk or another command comes to them first.
"""

from dataclasses import dataclass
from enum import StrEnum, unique
from uuid import UUID

from domain.entitlements import Named

_NO_ROW = 2**63 - 1


@unique
class Continuing(StrEnum):
    """What is being done, as stored in continuation.kind."""

    GIVE = "give"  # a grant's licence to the members of its group
    WITHDRAW = "withdraw"  # a grant's sources end
    CONVERT = "convert"  # a grant's sources become direct ones
    ADMIT = "admit"  # members beyond a grant's quota are let in, since it has risen
    CLEAR = "clear"  # sources of a grant end whose people are not members of its group
    PROMOTE = "promote"  # seats of a licence to those who wait for it
    EXPIRE = "expire"  # a licence's seats back into its waiting list
    DELETE_GROUP = "delete_group"
    DELETE_ROLE = "delete_role"
    DELETE_LICENSE = "delete_license"
    REDRIVE = "redrive"  # dead letters are queued again
    DISCARD = "discard"  # dead letters are given up


@dataclass(slots=True, kw_only=True)
class Continuation:
    """One piece of such work. `id` 0: it has no row yet, since it may be done within its operation's own pass.

    `cursor` is the last person (or entitlement) that a chunk has come to. `reserved` seats are held back for members
    not yet reached; those up to `boundary` (None: all) are given one, those up to `quota_boundary` (None: all) are
    within the grant's quota. One that admits goes by age, not by id: its `boundary` 0 says that there are too few
    seats; they are held back until everybody has been let in, and then go to whoever waits for longest.
    """

    tenant_id: int
    operation_id: UUID
    operation_seq: int
    kind: Continuing
    target: Named
    id: int = 0
    license_id: int | None = None
    group_id: int | None = None
    cursor: int = 0
    reserved: int = 0
    boundary: int | None = None
    quota_boundary: int | None = None
    done: int = 0
    total: int = 0
    # Of its operation, as it was read with it.
    operation_kind: str = ""
    traceparent: str | None = None
    # Of its operation: chunks that raised or that a worker died over since the last one that went well.
    attempts: int = 0
    deaths_alone: int = 0

    def has_seat_for(self, user_id: int) -> bool:
        """A seat is held back for this member, should they need one."""
        return self.reserved > 0 and (self.boundary is None or user_id <= self.boundary)

    def is_beyond_quota(self, user_id: int) -> bool:
        """This member has no place in the grant's quota."""
        return self.quota_boundary is not None and user_id > self.quota_boundary

    def gives_before(self, other: "Continuation") -> bool:
        """This one gives the same licence, and was asked to earlier."""
        return (
            self.kind is Continuing.GIVE
            and self.license_id == other.license_id
            and (self.operation_seq, self.id or _NO_ROW) < (other.operation_seq, other.id or _NO_ROW)
        )

    def takes_over(self, other: "Continuation") -> bool:
        """What the other one does would be undone by this one, or done twice."""
        if self.kind is Continuing.DELETE_LICENSE:
            return other.license_id == self.target.id
        if self.kind is Continuing.DELETE_GROUP:
            return other.group_id == self.target.id and other.kind in _UNDONE_BY[Continuing.WITHDRAW]
        return other.kind in _UNDONE_BY.get(self.kind, ()) and other.target.id == self.target.id

    def waits_for(self, other: "Continuation") -> bool:
        """The other one is to be done before this one comes to anybody."""
        return other.kind is Continuing.GIVE and self.kind in _OF_WHAT_IS_GIVEN and other.target.id == self.target.id


OF_DEAD_LETTERS = frozenset({Continuing.REDRIVE, Continuing.DISCARD})
"""What is done to operations, not to people; the cursor is a place in the tenant's log."""

_UNDONE_BY = {
    Continuing.GIVE: frozenset({Continuing.GIVE, Continuing.WITHDRAW}),
    Continuing.WITHDRAW: frozenset({Continuing.GIVE, Continuing.WITHDRAW, Continuing.ADMIT, Continuing.CLEAR}),
    # What the grant has promised becomes direct too, so those who have yet to get it get it first.
    Continuing.CONVERT: frozenset({Continuing.WITHDRAW}),
    Continuing.ADMIT: frozenset({Continuing.ADMIT}),
    Continuing.CLEAR: frozenset({Continuing.CLEAR}),
}
_OF_WHAT_IS_GIVEN = frozenset({Continuing.CONVERT, Continuing.ADMIT, Continuing.CLEAR})
